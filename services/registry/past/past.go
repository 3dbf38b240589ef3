// Package past resolves tags as of an earlier time, and keeps what they named readable for
// a while, also when it was deleted since.
package past

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/asof"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/leases"
)

// ErrUnknown: there is nothing, or nothing any more, that could be read. Its text says why.
var ErrUnknown = errors.New("cannot be pulled")

const (
	// readable is how long deleted manifests and their blobs stay readable once a tag as
	// of an earlier time was resolved to them.
	readable = time.Hour
	// maxManifests bounds what an index reaches, and maxNamed what all of that names.
	maxManifests = 200
	maxNamed     = 20_000
)

// Config is what resolving works with; all fields are required.
type Config struct {
	Images images.Reader
	Leases *leases.Store
	Log    asof.Log
	Window time.Duration // in which a deletion can be undone
	// Full says that there is no space for what was deleted: it is kept for nobody.
	Full func() bool
	// Stat is the size of a blob; the error wraps blobs.ErrNotFound when the store does not
	// have it.
	Stat func(ctx context.Context, d digest.Digest) (int64, error)
}

// A Reader resolves tags.
type Reader struct{ Config }

// New makes a reader.
func New(c Config) *Reader { return &Reader{c} }

// Resolve is the manifest that a tag of a repository named at a point in time. What of it,
// and of all that it reaches, was deleted since can be read for an hour from now on.
// ErrUnknown, asof.ErrFuture.
func (r *Reader) Resolve(ctx context.Context, repo *images.Repository, tag string, p asof.Point) (*images.Stored, error) {
	seq, err := r.Log.Last(ctx, p)
	if err != nil {
		return nil, err
	}
	t, err := r.Images.TagAsOf(ctx, repo.ID, tag, seq)
	if errors.Is(err, images.ErrNotFound) {
		return nil, fmt.Errorf("%s:%s named nothing as of event %d: it %w", repo.Name, tag, seq, ErrUnknown)
	}
	if err != nil {
		return nil, err
	}
	reached, fates, err := r.reach(ctx, repo.ID, t.Digest)
	if err != nil {
		return nil, err
	}
	if err := r.checkThere(repo, tag, t, fates[t.Digest]); err != nil {
		return nil, err
	}
	var dead []digest.Digest
	for _, d := range reached {
		if f := fates[d]; !f.Live() && f.Swept == 0 && r.inWindow(f) {
			dead = append(dead, d)
		}
	}
	if len(dead) > 0 {
		if err := r.keep(ctx, repo, dead); err != nil {
			return nil, err
		}
	}
	return r.Images.Ever(ctx, repo.ID, t.Digest)
}

func (r *Reader) inWindow(f images.Fate) bool {
	return time.Now().Before(f.Deletion.Time.Add(r.Window))
}

// checkThere says why the content of a manifest cannot be read any more.
func (r *Reader) checkThere(repo *images.Repository, tag string, t *images.PastTag, f images.Fate) error {
	named := fmt.Sprintf("%s:%s named %s then, which was deleted at %s by event %d", repo.Name, tag, t.Digest, f.Deletion.Time.Format(time.RFC3339), f.Deletion.Seq)
	switch {
	case f.Live():
		return nil
	case f.Swept > 0:
		return fmt.Errorf("%s, and its content was swept by event %d: it %w", named, f.Swept, ErrUnknown)
	case !r.inWindow(f):
		return fmt.Errorf("%s, and what was deleted is readable for %s only: it %w", named, r.Window, ErrUnknown)
	}
	return nil
}

// reach lists a manifest and all that it reaches in its repository, each once, with what
// has become of each.
func (r *Reader) reach(ctx context.Context, repo string, top digest.Digest) (list []digest.Digest, fates map[digest.Digest]images.Fate, err error) {
	seen, named := map[digest.Digest]bool{top: true}, 0
	for next := []digest.Digest{top}; len(next) > 0; {
		d := next[0]
		next = next[1:]
		m, err := r.Images.Ever(ctx, repo, d)
		if errors.Is(err, images.ErrNotFound) { // an index may name what was never pushed
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		parsed, err := images.ParseManifest(m.Bytes)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, d)
		if named += len(parsed.Named()); len(list)+len(next) > maxManifests || named > maxNamed {
			return nil, nil, fmt.Errorf("%s reaches more than %d manifests, or %d blobs: it %w as of an earlier time", top, maxManifests, maxNamed, ErrUnknown)
		}
		for _, c := range parsed.Manifests {
			if !seen[c.Digest] {
				seen[c.Digest] = true
				next = append(next, c.Digest)
			}
		}
	}
	fates, err = r.Images.Fates(ctx, repo, list)
	return list, fates, err
}

// keep makes deleted manifests and their blobs readable for a while. What is readable for
// half of that still is left as it is, so that asking again costs no write.
func (r *Reader) keep(ctx context.Context, repo *images.Repository, dead []digest.Digest) error {
	need, blobsOf := []digest.Digest{}, map[digest.Digest]bool{}
	for _, d := range dead {
		if until, ok, err := r.Leases.Reading(ctx, repo.Name, d); err != nil {
			return err
		} else if ok && time.Until(until) > readable/2 {
			continue
		}
		of, err := r.Images.ManifestBlobs(ctx, repo.ID, d)
		if err != nil {
			return err
		}
		need = append(need, d)
		for _, b := range of {
			blobsOf[b] = true
		}
	}
	if len(need) == 0 {
		return nil
	}
	if r.Full() {
		return fmt.Errorf("the hub has no space for what was deleted: it %w", ErrUnknown)
	}
	need = slices.AppendSeq(need, maps.Keys(blobsOf))
	err := r.Leases.TakeForReading(ctx, repo.Name, time.Now().Add(readable), need...)
	if leaving := (*leases.LeavingError)(nil); errors.As(err, &leaving) {
		return fmt.Errorf("blob %s of it is being swept: it %w", leaving.Digests[0], ErrUnknown)
	}
	if err != nil {
		return err
	}
	for b := range blobsOf {
		if _, err := r.Stat(ctx, b); errors.Is(err, blobs.ErrNotFound) { // swept before the lease was there
			return fmt.Errorf("blob %s of it is gone: it %w", b, ErrUnknown)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Manifest is a deleted manifest that can be read for a while. ErrUnknown.
func (r *Reader) Manifest(ctx context.Context, repo *images.Repository, d digest.Digest) (*images.Stored, error) {
	_, ok, err := r.Leases.Reading(ctx, repo.Name, d)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%s %w", d, ErrUnknown)
	}
	return r.Images.Ever(ctx, repo.ID, d)
}

// Readable says whether a blob of a deleted manifest can be read for a while; for half of
// that while at least, if whoever sees it then relies on it.
func (r *Reader) Readable(ctx context.Context, name string, d digest.Digest, relied bool) (bool, error) {
	until, ok, err := r.Leases.Reading(ctx, name, d)
	return ok && (!relied || time.Until(until) >= readable/2), err
}
