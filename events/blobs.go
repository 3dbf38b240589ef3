package events

import (
	"time"

	"github.com/opencontainers/go-digest"
)

// BlobsSwept says which blobs garbage collection takes out of the store. It
// is appended before the first of them is removed.
type BlobsSwept struct {
	Blobs []SweptBlob `json:"blobs"`
}

// SweptBlob is one blob of a sweep.
type SweptBlob struct {
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size" jsonschema:"in bytes"`
}

func (BlobsSwept) EventType() string { return "blobs.swept.v1" }
func (BlobsSwept) Subject() string   { return BlobsSubject() }

// PullsCounted counts the pulls that one node served in one hour.
type PullsCounted struct {
	Node         string            `json:"node" jsonschema:"id of the node that counted"`
	From         time.Time         `json:"from" jsonschema:"start of the hour"`
	Repositories []RepositoryPulls `json:"repositories"`
}

// RepositoryPulls counts the manifests that were fetched from one repository.
type RepositoryPulls struct {
	Repository string          `json:"repository" jsonschema:"id of the repository"`
	Pulls      int64           `json:"pulls" jsonschema:"manifests fetched by GET, by tag or digest"`
	LastPulled time.Time       `json:"lastPulled"`
	Tags       []TagPulls      `json:"tags,omitempty"`
	Manifests  []ManifestPulls `json:"manifests,omitempty" jsonschema:"the same pulls by what was fetched; absent where an earlier version counted"`
}

// TagPulls counts fetches by one tag.
type TagPulls struct {
	Tag        string    `json:"tag"`
	Pulls      int64     `json:"pulls"`
	LastPulled time.Time `json:"lastPulled"`
}

// ManifestPulls counts fetches of one manifest, by whatever tag or digest.
type ManifestPulls struct {
	Digest     digest.Digest `json:"digest"`
	Pulls      int64         `json:"pulls"`
	LastPulled time.Time     `json:"lastPulled" jsonschema:"the last use: GET, HEAD, or an answer that it has not changed"`
}

func (PullsCounted) EventType() string { return "pulls.counted.v1" }
func (e PullsCounted) Subject() string { return PullsSubject(e.Node) }
