package apitypes

import "time"

// A Build is one attempt to make an image of a commit by a rule, or of an uploaded
// directory.
type Build struct {
	ID          string       `json:"id" doc:"Id of the build"`
	Rule        string       `json:"rule" doc:"Name of the rule; empty for an uploaded directory"`
	Ref         string       `json:"ref" doc:"Full name of the branch or tag, or of the pull request's ref; empty for an uploaded directory"`
	PullRequest *PullRequest `json:"pullRequest,omitempty" doc:"The pull request that is tested; absent for a branch or tag"`
	Commit      string       `json:"commit" doc:"Id of the commit; empty for an uploaded directory"`
	Tags        []string     `json:"tags" doc:"Tags that the image is to get; none for a test"`
	Test        bool         `json:"test,omitempty" doc:"It is built and tested, never pushed"`
	RetryOf     string       `json:"retryOf,omitempty" doc:"Id of the build that is made again by this one"`
	Rebuild     *Rebuild     `json:"rebuild,omitempty" doc:"Why the hub itself made the build again: an image that it was made from has changed"`
	Upload      *BuildUpload `json:"upload,omitempty" doc:"The uploaded directory that is built; absent for a build from git"`
	State       string       `json:"state" enum:"waiting,running,pushed,ended" doc:"Pushed: the image is there, and its tags are about to be set"`
	Outcome     string       `json:"outcome,omitempty" enum:"succeeded,failed,cancelled,superseded,lost" doc:"How it ended; absent until then"`
	Reason      string       `json:"reason,omitempty" doc:"Why it failed, in one word; of one that waits, why it waits"`
	Detail      string       `json:"detail,omitempty" doc:"Why, for people"`
	Position    int          `json:"position,omitempty" doc:"Place in the queue, of one that waits"`
	Builder     string       `json:"builder,omitempty" doc:"Builder that has it, or had it last"`
	Digest      string       `json:"digest,omitempty" doc:"Of the image that was pushed"`
	Provenance  string       `json:"provenance,omitempty" doc:"Digest of the manifest that says where the image comes from: a referrer of it"`
	Set         []string     `json:"set,omitempty" doc:"Tags that were set"`
	Refused     []BuildTag   `json:"refused,omitempty" doc:"Tags that were not set"`
	Queued      time.Time    `json:"queued" doc:"When it was queued"`
	Started     *time.Time   `json:"started,omitempty" doc:"When a builder took it"`
	Ended       *time.Time   `json:"ended,omitempty" doc:"When it ended"`
	QueuedBy    string       `json:"queuedBy" doc:"Who or what asked for it"`
	Seq         uint64       `json:"seq" doc:"Sequence of the event that queued it"`
	Repository  string       `json:"repository" doc:"Full name of the repository"`
}

// Short is the build's id in short, as people see and type it.
func (b Build) Short() string { return ShortID(b.ID) }

// ShortID is the end of an id that was made by chance: of ids with the time in them the
// beginnings are the same for a minute.
func ShortID(id string) string { return id[max(0, len(id)-8):] }

// A Rebuild is why the hub makes a build again.
type Rebuild struct {
	Base string `json:"base" doc:"Name of the image that has changed"`
	Was  string `json:"was" doc:"Digest that the build had"`
	Now  string `json:"now" doc:"Digest that the name means now"`
}

// A BuildUpload is a directory that somebody has sent to be built.
type BuildUpload struct {
	Digest string `json:"digest" doc:"Of the tar file"`
	Size   int64  `json:"size" doc:"Bytes of that file"`
}

// A BuildUploadRequest asks for a build of an uploaded directory.
type BuildUploadRequest struct {
	Digest     string            `json:"digest" maxLength:"200" doc:"Of the tar file, which was pushed as a blob of the repository"`
	Tags       []string          `json:"tags,omitempty" maxItems:"50" doc:"Tags that the image gets; none with noPush"`
	Dockerfile string            `json:"dockerfile,omitempty" maxLength:"256" doc:"Path of the Dockerfile in the directory; absent for Dockerfile"`
	Target     string            `json:"target,omitempty" maxLength:"128" doc:"Stage of the Dockerfile that is built; absent for the last"`
	Args       map[string]string `json:"args,omitempty" doc:"Build args; they are no secrets"`
	Platforms  []string          `json:"platforms,omitempty" maxItems:"16" doc:"Such as linux/arm64; absent for the builder's own"`
	Labels     map[string]string `json:"labels,omitempty" doc:"Labels of the image"`
	Autotest   bool              `json:"autotest,omitempty" doc:"Run the autotests beside the Dockerfile (*.test.yml, *-test.yml) before the image is pushed; a builder that runs hooks builds it then"`
	SBOM       bool              `json:"sbom,omitempty" doc:"Put an SBOM beside the image, which the hub's scanner makes"`
	Network    bool              `json:"network,omitempty" doc:"Steps may fetch from public hosts by HTTP and HTTPS"`
	NoCache    bool              `json:"noCache,omitempty" doc:"Do not reuse layers of earlier builds"`
	NoPush     bool              `json:"noPush,omitempty" doc:"Build, and push nothing"`
}

// A BuildTag is a tag that a build did not set.
type BuildTag struct {
	Tag string `json:"tag" doc:"The tag"`
	Why string `json:"why" doc:"Why it was not set"`
}

// A BuildDetails is a build with its steps.
type BuildDetails struct {
	Build
	Steps []BuildStep `json:"steps" doc:"Steps that have ended, in their order"`
	Bases []BuildBase `json:"bases,omitempty" doc:"Images that it was made from, once it was pushed, as far as the builder tells"`

	Scanner string `json:"scanner,omitempty" doc:"Image of this hub that makes its SBOM, by its digest; absent when none is made"`
}

// A BuildBase is an image that a build took files from.
type BuildBase struct {
	Name       string `json:"name" doc:"As the build asked for it, in full"`
	Digest     string `json:"digest" doc:"Of the manifest or index that the name meant then"`
	Platform   string `json:"platform,omitempty" doc:"Absent for the builder's own"`
	Repository string `json:"repository,omitempty" doc:"Full name of the repository of this hub that it came from; absent when it is from elsewhere"`
	Tag        string `json:"tag,omitempty" doc:"Tag of that repository that was asked for; absent when a digest was"`
}

// A BuildStep is a step of a build that has ended.
type BuildStep struct {
	Attempt int       `json:"attempt" doc:"1 for the first builder that had the build"`
	Number  int       `json:"number" doc:"From 1"`
	Kind    string    `json:"kind" enum:"fetch,build,test,push" doc:"What it did"`
	Name    string    `json:"name" doc:"Such as the line of the Dockerfile"`
	Began   time.Time `json:"began" doc:"By the builder's clock"`
	Took    float64   `json:"took" doc:"Seconds"`
	Cached  bool      `json:"cached,omitempty" doc:"Its result was there already"`
	Failed  bool      `json:"failed,omitempty" doc:"It has ended the build"`
}

// A BuildLog is a piece of what a build has written.
type BuildLog struct {
	Chunks []BuildLogChunk `json:"chunks" doc:"In their order"`
	Next   uint64          `json:"next" doc:"Where the next piece begins: ask for what comes after it"`
	Ended  bool            `json:"ended" doc:"The build has ended: when nothing comes, that was all"`
}

// A BuildLogChunk is what one step has written.
type BuildLogChunk struct {
	Step int       `json:"step" doc:"Number of the step; 0 for the build itself"`
	Time time.Time `json:"time" doc:"When it was kept"`
	Text string    `json:"text" doc:"Not necessarily whole lines; bytes that are no UTF-8 are replaced"`
}

// A ProvenanceKey is the public half of the key by which the hub signs where images
// come from.
type ProvenanceKey struct {
	ID  string `json:"id" doc:"SHA-256 of the key in DER, in hexadecimal digits: the hint in signatures"`
	PEM string `json:"pem" doc:"The Ed25519 key in PEM"`
}
