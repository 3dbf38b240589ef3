package registry

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/asof"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/origin"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/cache"
	"hubledger/services/registry/past"
	"hubledger/services/registry/pulls"
)

// maxShared is how large an answer may be, in bytes, so that those who get it at the
// same time share it: the cache keeps it, with its header.
const maxShared = maxCacheBytes/64 - 4<<10

// getManifest serves GET and HEAD (distribution-spec, "Pulling manifests").
func (s *Registry) getManifest(w http.ResponseWriter, r *http.Request, to route) error {
	repo, err := s.repository(r.Context(), to.name)
	if err != nil {
		return err
	}
	m, err := s.manifestToRead(r.Context(), repo, to.ref)
	if err != nil {
		return err
	}
	if len(m.Bytes) > maxShared && r.Method != http.MethodHead {
		if err := budget.Of(r.Context()).Hold(int64(len(m.Bytes))); err != nil {
			return err
		}
	}
	h := w.Header()
	if err := s.limiter.Pull(h, r, to.who); err != nil {
		return err
	}
	h["Docker-Content-Digest"] = m.DigestHeader
	h["Etag"] = m.ETagHeader
	tag := to.ref
	if isDigest(tag) || strings.Contains(tag, repository.AsOf) {
		tag = ""
	}
	if match := r.Header["If-None-Match"]; match != nil && matches(match, m.Digest) {
		s.served.Use(clientOf(r, to.who), repo.ID, tag, m.Digest)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h["Content-Type"] = m.TypeHeader
	h["Content-Length"] = m.LengthHeader
	if r.Method == http.MethodHead {
		s.served.Use(clientOf(r, to.who), repo.ID, tag, m.Digest)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	s.served.Pull(clientOf(r, to.who), repo.ID, tag, m.Digest)
	_, err = w.Write(m.Bytes)
	return ignoreGone(err)
}

// manifestToRead resolves what a client reads: a tag, a tag as of an earlier time, or a
// digest, also of what such a tag named and was deleted since.
func (s *Registry) manifestToRead(ctx context.Context, repo *images.Repository, ref string) (*cache.Manifest, error) {
	tag, point, ok, err := asof.Cut(ref)
	if err != nil {
		return nil, err
	}
	if ok {
		if err := budget.Of(ctx).Work(ctx); err != nil {
			return nil, err
		}
		stored, err := s.past.Resolve(ctx, repo, tag, point)
		return s.pastManifest(ref, stored, err)
	}
	m, err := s.manifest(ctx, repo, ref)
	if isNotFound(err) && isDigest(ref) {
		stored, perr := s.past.Manifest(ctx, repo, digest.Digest(ref))
		if !errors.Is(perr, past.ErrUnknown) {
			return s.pastManifest(ref, stored, perr)
		}
	}
	return m, err
}

func (s *Registry) pastManifest(ref string, stored *images.Stored, err error) (*cache.Manifest, error) {
	if errors.Is(err, past.ErrUnknown) || errors.Is(err, asof.ErrFuture) {
		return nil, fail(http.StatusNotFound, "MANIFEST_UNKNOWN", err.Error()).with(map[string]string{"reference": ref})
	}
	if err != nil {
		return nil, err
	}
	return cache.NewManifest(stored), nil
}

// clientOf is who counts as the one that pulls.
func clientOf(r *http.Request, who access.Principal) pulls.Client {
	if who.Kind == access.Anonymous {
		return pulls.Client{Addr: origin.Of(r).Addr}
	}
	return pulls.Client{Account: who.ID}
}

// matches evaluates If-None-Match (RFC 9110, section 13.1.2). A digest stands for
// the whole content, so weak and strong comparison are the same.
func matches(headers []string, digest string) bool {
	for _, header := range headers {
		for tag := range strings.SplitSeq(header, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == "*" || strings.Trim(tag, `"`) == digest {
				return true
			}
		}
	}
	return false
}

// ignoreGone drops the error of writing an answer that has begun: the client
// went away, and cannot be told.
func ignoreGone(error) error { return nil }
