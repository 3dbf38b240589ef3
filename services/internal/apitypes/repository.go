package apitypes

import "time"

// A Repository is a repository as lists show it.
type Repository struct {
	ID          string     `json:"id" format:"uuid" doc:"Stays when the name is given to another one"`
	Name        string     `json:"name" example:"alice/app" doc:"Full name, as docker pull takes it behind the host"`
	Description string     `json:"description" doc:"One line"`
	Topics      []string   `json:"topics" nullable:"false" doc:"What it is about, in alphabetical order"`
	Visibility  string     `json:"visibility" enum:"public,private" doc:"public: everybody may pull"`
	Stars       int64      `json:"stars" doc:"Users who gave one"`
	Pulls       int64      `json:"pulls" doc:"In lists as of the last full hour"`
	Created     time.Time  `json:"created" doc:"When it was made"`
	Pushed      *time.Time `json:"pushed,omitempty" doc:"Last push"`
	Pulled      *time.Time `json:"pulled,omitempty" doc:"Last pull; in lists as of the last full hour"`
}

// RepositoryDetails are all that a page about one repository shows.
type RepositoryDetails struct {
	Repository
	Readme  string `json:"readme" doc:"Markdown as it was written"`
	Starred bool   `json:"starred" doc:"I have given it a star"`
	Level   string `json:"level" enum:"read,write,delete,admin" doc:"What I may do with it"`
	Tags    int    `json:"tags" doc:"How many there are"`
	PullTag string `json:"pullTag,omitempty" doc:"The tag for a command that pulls: latest where there is one, else that pushed last; absent where there is no tag, or are more than 100,000"`
	Seq     uint64 `json:"seq,omitempty" doc:"Sequence of its latest event, for who may change it; pushes do not count"`
	// PullArtifact tells a Helm chart, say, from an image.
	PullArtifact string `json:"pullArtifact,omitempty" doc:"The artifact type of what that tag names, or the media type of its config"`
}

// CreateRepositoryRequest asks for a repository.
type CreateRepositoryRequest struct {
	Name        string   `json:"name" minLength:"1" maxLength:"200" example:"alice/app" doc:"Full name: namespace and the rest"`
	Visibility  string   `json:"visibility,omitempty" enum:"public,private" doc:"Absent: as this hub has it for a push"`
	Description string   `json:"description,omitempty" maxLength:"400" example:"What greets our visitors" doc:"One line of at most 100 characters"`
	Readme      string   `json:"readme,omitempty" maxLength:"100000" doc:"Markdown, at most 100,000 bytes"`
	Topics      []string `json:"topics,omitempty" maxItems:"20" doc:"Each of a-z, 0-9 and -, at most 35 long"`
}

// CreatedRepository is a repository that was just made.
type CreatedRepository struct {
	Repository
	Seq uint64 `json:"seq" doc:"Sequence of the change in the log"`
}

// ChangeRepositoryRequest says what of a repository changes.
type ChangeRepositoryRequest struct {
	Description *string   `json:"description,omitempty" maxLength:"400" doc:"One line of at most 100 characters"`
	Readme      *string   `json:"readme,omitempty" maxLength:"100000" doc:"Markdown, at most 100,000 bytes"`
	Topics      *[]string `json:"topics,omitempty" maxItems:"20" doc:"Each of a-z, 0-9 and -, at most 35 long"`
	Visibility  string    `json:"visibility,omitempty" enum:"public,private" doc:"public: everybody may pull"`
	Seq         *uint64   `json:"seq,omitempty" doc:"The repository is only changed if this still is its latest event; absent: whatever it is"`
}

// PreviewReadmeRequest asks what a README would look like.
type PreviewReadmeRequest struct {
	Readme string `json:"readme" maxLength:"100000" doc:"Markdown, at most 100,000 bytes"`
}

// A Readme as people see it.
type Readme struct {
	HTML string `json:"html" doc:"The README as sanitized HTML, a fragment; empty when there is none"`
}

// An Activity is one thing that happened to a repository.
type Activity struct {
	Seq   uint64 `json:"seq" doc:"Sequence of the event in the log"`
	Time  string `json:"time" format:"date-time" doc:"When it happened, to the microsecond"`
	Actor string `json:"actor" doc:"Login name of who did it"`
	Kind  string `json:"kind" doc:"Such as image.pushed or tag.deleted"`
	What  string `json:"what,omitempty" doc:"The tag, or the digest of what has none"`
}

// A Deleted repository.
type Deleted struct {
	ID      string    `json:"id" format:"uuid" doc:"What it is restored by"`
	Name    string    `json:"name" doc:"Full name that it had"`
	Deleted time.Time `json:"deleted" doc:"When it was deleted"`
	Until   time.Time `json:"restorableUntil" doc:"Afterwards its content may be gone"`
}

// A Policy says what a repository accepts.
type Policy struct {
	ImmutableTags []string `json:"immutableTags" maxItems:"50" nullable:"false" doc:"RE2 patterns that match a whole tag: such a tag is pushed once and neither moved nor deleted"`
	SparseIndexes bool     `json:"sparseIndexes" doc:"Accept an index some of whose manifests are not there"`

	Seq *uint64 `json:"seq,omitempty" doc:"Sequence of the latest event of the repository; in a request: it is only changed if it still is this one"`
}

// A Tag with the image that it names.
type Tag struct {
	Name         string     `json:"name" example:"1.0" doc:"Of the tag"`
	Digest       string     `json:"digest" example:"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" doc:"Of the manifest that it names"`
	MediaType    string     `json:"mediaType" doc:"Of that manifest"`
	ArtifactType string     `json:"artifactType,omitempty" doc:"Of that manifest: its own, or the media type of its config; absent for an index without one"`
	Size         int64      `json:"size" doc:"In bytes, of what a pull fetches at most; 0 when not known"`
	Pushed       time.Time  `json:"pushed" doc:"When it was pushed last; restoring does not change it"`
	Built        *time.Time `json:"built,omitempty" doc:"When the image says that it was made; 1970 and the like for one made reproducibly; absent when it does not say"`
	By           string     `json:"by" doc:"Login name of who pushed it"`
	Seq          uint64     `json:"seq" doc:"Sequence of the event by which it names the manifest"`
	Pulls        int64      `json:"pulls" doc:"Fetches of its manifest by this tag"`
	Pulled       *time.Time `json:"pulled,omitempty" doc:"Last pull of what it names, or of a manifest of its index"`
	Immutable    bool       `json:"immutable,omitempty" doc:"It can be neither moved nor deleted"`
	Signed       bool       `json:"signed,omitempty" doc:"Signatures are beside the manifest; the hub has not verified them"`
	Same         []string   `json:"same" nullable:"false" doc:"Other tags of the same manifest, at most 10"`
	From         *MadeBy    `json:"from,omitempty" doc:"The build that made it, for who may push; absent when it was pushed by somebody"`
	Images       []Image    `json:"images" nullable:"false" doc:"For each platform that is there"`
	Now          *Fate      `json:"now,omitempty" doc:"What has become of the manifest since; with as_of only, where size, pulls, same, images and what else is said of today are absent"`
}

// MadeBy is the build that an image comes from.
type MadeBy struct {
	Build  string `json:"build" doc:"Id of the build"`
	Ref    string `json:"ref" doc:"Full name of the branch or tag; empty for an uploaded directory"`
	Commit string `json:"commit" doc:"Id of the commit; empty for an uploaded directory"`
}

// Platform is the image's platform in one word, "" when it is not known.
func (i Image) Platform() string {
	if i.OS == "" && i.Architecture == "" {
		return ""
	}
	p := i.OS + "/" + i.Architecture
	if i.Variant != "" {
		p += "/" + i.Variant
	}
	return p
}

// An Image is that of one platform.
type Image struct {
	Digest       string `json:"digest" doc:"Of the image for this platform"`
	OS           string `json:"os,omitempty" doc:"Such as linux; absent when not known"`
	Architecture string `json:"architecture,omitempty" doc:"Such as amd64; absent when not known"`
	Variant      string `json:"variant,omitempty" doc:"Such as v8"`
	Size         int64  `json:"size" doc:"In bytes"`
}
