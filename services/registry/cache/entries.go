package cache

import (
	"strconv"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
)

// A Manifest as it is served, with its header values made once.
type Manifest struct {
	Digest string
	Bytes  []byte

	DigestHeader, ETagHeader, TypeHeader, LengthHeader []string
}

// NewManifest makes the header values.
func NewManifest(m *images.Stored) *Manifest {
	d := m.Digest.String()
	return &Manifest{
		Digest: d, Bytes: m.Bytes,
		DigestHeader: []string{d}, ETagHeader: []string{`"` + d + `"`},
		TypeHeader: []string{m.MediaType}, LengthHeader: []string{strconv.Itoa(len(m.Bytes))},
	}
}

// size is what the manifest takes in the cache, in bytes.
func (m *Manifest) size() int { return len(m.Bytes) + 200 }

// Manifest is that of a tag or digest in a repository, by its id.
func (c *Cache) Manifest(repo, ref string) (*Manifest, bool) {
	v, ok := c.get(repo, kindManifest, ref)
	m, _ := v.(*Manifest)
	return m, ok
}

// SetManifest ends a fill.
func (c *Cache) SetManifest(f Fill, ref string, m *Manifest) {
	c.set(f, kindManifest, ref, m, m.size())
}

// HoldsBlob says that a live manifest of a repository, by its id, holds a
// blob; false when that is not known.
func (c *Cache) HoldsBlob(repo string, d digest.Digest) bool {
	_, ok := c.get(repo, kindBlob, string(d))
	return ok
}

// SetHoldsBlob ends a fill.
func (c *Cache) SetHoldsBlob(f Fill, d digest.Digest) { c.set(f, kindBlob, string(d), nil, 0) }

// A List is a whole answer to a request for one.
type List struct {
	Body      []byte
	MediaType string
	Link      string // to the next page
	Filters   string // OCI-Filters-Applied
}

// List is the answer to a request about a repository, by its id.
func (c *Cache) List(repo, request string) (*List, bool) {
	v, ok := c.get(repo, kindList, request)
	l, _ := v.(*List)
	return l, ok
}

// SetList ends a fill.
func (c *Cache) SetList(f Fill, request string, l *List) {
	c.set(f, kindList, request, l, len(l.Body)+len(l.Link))
}
