package events

import (
	"time"

	"github.com/opencontainers/go-digest"
)

// ImagePushed is a push: the manifest's exact bytes, once, and only what they
// do not say themselves. A push by tag belongs to the tag, one by digest to
// the repository's images.
type ImagePushed struct {
	Namespace  string        `json:"namespace" jsonschema:"id of the namespace"`
	Repository string        `json:"repository" jsonschema:"id of the repository"`
	Tag        string        `json:"tag,omitempty" jsonschema:"absent when pushed by digest"`
	Digest     digest.Digest `json:"digest" jsonschema:"of the manifest, in the algorithm the pusher chose"`
	MediaType  string        `json:"mediaType" jsonschema:"the manifest's, as pushed"`
	Platform   *Platform     `json:"platform,omitempty" jsonschema:"out of the image's config"`
	Created    *time.Time    `json:"created,omitempty" jsonschema:"out of the image's config"`
	// Absent are blobs that a manifest may name without having them, and that
	// its pusher could not read in the repository: they are not held.
	Absent []digest.Digest `json:"absent,omitempty" jsonschema:"non-distributable layers that were not there"`
	// Blobs are held, too, although they do not stand where an image has its
	// blobs: the older cache of BuildKit is an index of layers.
	Blobs []digest.Digest `json:"blobs,omitempty" jsonschema:"blobs that stand among an index's manifests or as subject, and that were there"`
	// NewLayers is what the hub knew at the push: another push at the same moment can
	// have brought the same layers.
	NewLayers *int64 `json:"newLayers,omitempty" jsonschema:"how many of the image's layers no live manifest of the repository had; absent for an index, and where it was not counted"`
	Manifest  []byte `json:"manifest" jsonschema:"the exact bytes of the manifest in base64"`
}

// Platform is what an image runs on, in the words of the OCI image config.
type Platform struct {
	OS           string   `json:"os,omitempty"`
	Architecture string   `json:"architecture,omitempty"`
	Variant      string   `json:"variant,omitempty"`
	OSVersion    string   `json:"osVersion,omitempty"`
	OSFeatures   []string `json:"osFeatures,omitempty"`
}

func (ImagePushed) EventType() string { return "image.pushed.v1" }
func (e ImagePushed) Subject() string {
	if e.Tag == "" {
		return ImageSubject(e.Namespace, e.Repository)
	}
	return TagSubject(e.Namespace, e.Repository, e.Tag)
}

// ImageTagged is a push of a manifest that the repository already has, so that
// its bytes are in the log once: a tag is set to it or, without a tag, it was
// pushed again by its digest. It does all that ImagePushed does with a manifest
// whose bytes stand before it in the log, and brings it back when it was deleted
// since, but not the manifests that an index names.
type ImageTagged struct {
	Namespace  string        `json:"namespace" jsonschema:"id of the namespace"`
	Repository string        `json:"repository" jsonschema:"id of the repository"`
	Tag        string        `json:"tag,omitempty" jsonschema:"absent when pushed by digest"`
	Digest     digest.Digest `json:"digest" jsonschema:"of the manifest, which an earlier image.pushed has"`
	RolledBack *RolledBack   `json:"rolledBack,omitempty" jsonschema:"present when somebody rolled the tag back to a manifest that it named before"`
}

// RolledBack says what a tag was rolled back from, and to which moment of its past.
type RolledBack struct {
	From  digest.Digest `json:"from,omitempty" jsonschema:"of the manifest that the tag named until then; absent when it named none"`
	Event uint64        `json:"event" jsonschema:"sequence of the event by which the tag came to name the manifest before"`
	Since time.Time     `json:"since" jsonschema:"when that was"`
}

func (ImageTagged) EventType() string { return "image.tagged.v1" }
func (e ImageTagged) Subject() string {
	if e.Tag == "" {
		return ImageSubject(e.Namespace, e.Repository)
	}
	return TagSubject(e.Namespace, e.Repository, e.Tag)
}

// TagDeleted takes a tag away; the manifest stays.
type TagDeleted struct {
	Namespace  string        `json:"namespace" jsonschema:"id of the namespace"`
	Repository string        `json:"repository" jsonschema:"id of the repository"`
	Tag        string        `json:"tag"`
	Digest     digest.Digest `json:"digest" jsonschema:"of the manifest the tag named"`
}

func (TagDeleted) EventType() string { return "tag.deleted.v1" }
func (e TagDeleted) Subject() string { return TagSubject(e.Namespace, e.Repository, e.Tag) }

// TagRestored undoes a tag's deletion.
type TagRestored struct {
	Namespace  string        `json:"namespace" jsonschema:"id of the namespace"`
	Repository string        `json:"repository" jsonschema:"id of the repository"`
	Tag        string        `json:"tag"`
	Digest     digest.Digest `json:"digest" jsonschema:"of the manifest the tag names again"`
	Pushed     *time.Time    `json:"pushed,omitempty" jsonschema:"when the tag was last pushed; absent where an earlier version restored it"`
}

func (TagRestored) EventType() string { return "tag.restored.v1" }
func (e TagRestored) Subject() string { return TagSubject(e.Namespace, e.Repository, e.Tag) }

// ManifestDeleted takes a manifest away, and with it every tag that names it.
type ManifestDeleted struct {
	Namespace  string        `json:"namespace" jsonschema:"id of the namespace"`
	Repository string        `json:"repository" jsonschema:"id of the repository"`
	Digest     digest.Digest `json:"digest" jsonschema:"of the manifest"`
}

func (ManifestDeleted) EventType() string { return "manifest.deleted.v1" }
func (e ManifestDeleted) Subject() string { return ImageSubject(e.Namespace, e.Repository) }

// ManifestRestored undoes one deletion of a manifest; tags that it hid are
// there again.
type ManifestRestored struct {
	Namespace  string        `json:"namespace" jsonschema:"id of the namespace"`
	Repository string        `json:"repository" jsonschema:"id of the repository"`
	Digest     digest.Digest `json:"digest" jsonschema:"of the manifest"`
	Deletion   uint64        `json:"deletion" jsonschema:"sequence of the manifest.deleted event that this undoes"`
}

func (ManifestRestored) EventType() string { return "manifest.restored.v1" }
func (e ManifestRestored) Subject() string { return ImageSubject(e.Namespace, e.Repository) }
