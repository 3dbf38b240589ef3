package apitypes

import (
	"time"

	"github.com/opencontainers/go-digest"
)

// A CleanupRule says what of a repository is deleted by itself; one of zeros
// deletes nothing.
type CleanupRule struct {
	KeepLast      int      `json:"keepLast" minimum:"0" maximum:"10000" required:"false" doc:"How many of the tags pushed last stay; 0 protects none"`
	KeepTags      []string `json:"keepTags" maxItems:"50" nullable:"false" required:"false" doc:"RE2 patterns that match a whole tag: such tags stay"`
	NotPulledDays int      `json:"notPulledDays" minimum:"0" maximum:"10000" required:"false" doc:"Days without a pull or a push after which a tag goes; 0 for no such rule"`
	UntaggedDays  int      `json:"untaggedDays" minimum:"0" maximum:"10000" required:"false" doc:"Days after which a manifest goes that nothing needs; 0 for never"`

	Seq *uint64 `json:"seq,omitempty" doc:"Sequence of the latest event of the repository; in a request: it is only changed if it still is this one"`
}

// Deletes says whether the rule deletes anything: what to keep is no rule by itself.
func (r CleanupRule) Deletes() bool {
	return r.KeepLast != 0 || r.NotPulledDays != 0 || r.UntaggedDays != 0
}

// A CleanupRun says what applying the rule has deleted.
type CleanupRun struct {
	Tags      int    `json:"tags" doc:"How many were deleted"`
	Manifests int    `json:"manifests" doc:"How many were deleted"`
	Seq       uint64 `json:"seq" doc:"Sequence of the log's last event then"`
}

// A CleanupPreview is what a rule would do now, and what would follow from it.
type CleanupPreview struct {
	Tags      []CleanupPreviewTag      `json:"tags" nullable:"false" doc:"Those that go"`
	Manifests []CleanupPreviewManifest `json:"manifests" nullable:"false" doc:"Those that go now"`
	// Later are manifests that go UntaggedDays from now, when nothing is
	// pushed or tagged until then.
	Later []CleanupPreviewManifest `json:"later" nullable:"false" doc:"Those that have no tag any more then, and go in a later run"`
	// Now and Then say what deleting Manifests frees, and Manifests and Later.
	Now  CleanupFreed `json:"now"`
	Then CleanupFreed `json:"then"`
}

// DeletionPreviewRequest names what is to be deleted.
type DeletionPreviewRequest struct {
	Tags []string `json:"tags,omitempty" minItems:"1" maxItems:"100" doc:"Absent: the repository as a whole"`
}

// DeletionPreview says what becomes free by a deletion. Tags free nothing by themselves, but
// images without a tag are deleted by a cleanup rule, or by hand.
type DeletionPreview struct {
	Images   int        `json:"images" doc:"Manifests that go then: of tags, those that have no tag any more"`
	Blobs    int        `json:"blobs" doc:"How many blobs nothing else in the namespace needs then; for administrators of the hub: nothing else in the hub"`
	Bytes    int64      `json:"bytes" doc:"What they come to, in bytes"`
	At       *time.Time `json:"at,omitempty" doc:"When garbage collection frees them, if nothing needs them until then; absent when no cleanup rule deletes the images"`
	Earliest time.Time  `json:"earliest" doc:"When it frees them if the images are deleted now, too"`
}

// ImagesUsage is what the images of a repository take.
type ImagesUsage struct {
	Images     []ImageUsage `json:"images" nullable:"false" doc:"Those that need most by themselves first, at most 50"`
	Total      int          `json:"total" doc:"How many images there are: what tags name, and what nothing names"`
	TooMany    bool         `json:"tooMany,omitempty" doc:"The indexes of the repository have too many images in common to tell what each takes; none is told"`
	At         time.Time    `json:"at" doc:"When garbage collection frees what an image needs by itself, at the earliest, if it is deleted now"`
	Everywhere bool         `json:"everywhere" doc:"Unique is what nothing else in the whole hub needs; if not, in the namespace: what other namespaces need is not told"`
}

// ImageUsage is what one image takes. An index takes what its images take, and what is about an
// image, such as a signature, belongs to it.
type ImageUsage struct {
	Digest   string   `json:"digest" doc:"Of the manifest"`
	Tags     []string `json:"tags" nullable:"false" doc:"That name it, at most 10"`
	MoreTags int      `json:"moreTags,omitempty" doc:"How many others there are"`
	Bytes    int64    `json:"bytes" doc:"Of distinct blobs"`
	Unique   int64    `json:"unique" doc:"Of the bytes, what nothing else needs: what deleting the image with its tags frees"`
}

// CleanupPreviewTag is a tag that goes.
type CleanupPreviewTag struct {
	Name   string        `json:"name" doc:"Of the tag"`
	Digest digest.Digest `json:"digest" doc:"Of the manifest"`
	Pushed time.Time     `json:"pushed" doc:"When it was pushed last"`
	Pulled *time.Time    `json:"pulled,omitempty" doc:"When it was pulled last; absent when never"`
}

// CleanupPreviewManifest is a manifest that goes.
type CleanupPreviewManifest struct {
	Digest digest.Digest `json:"digest" doc:"Of the manifest"`
	Pushed time.Time     `json:"pushed" doc:"When it was pushed last"`
}

// CleanupFreed is how many bytes of blobs nothing else in the namespace needs,
// or for administrators in the hub, and when garbage collection takes them:
// after the undelete window and a lease term.
type CleanupFreed struct {
	Blobs int       `json:"blobs" doc:"How many blobs nothing else in the namespace needs; for administrators of the hub: nothing else in the hub"`
	Bytes int64     `json:"bytes" doc:"What they come to, in bytes; on disk less goes where another namespace needs the same"`
	At    time.Time `json:"at" doc:"When garbage collection frees them at the earliest"`
}
