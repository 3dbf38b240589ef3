package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/access"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/bodies"
	"hubledger/services/registry/leases"
)

// beginUpload is POST: it mounts, takes a whole blob, or opens an upload
// (distribution-spec, "Pushing blobs" and "Mounting a blob from another repository").
func (s *Registry) beginUpload(w http.ResponseWriter, r *http.Request, to route) error {
	name, err := fullName(to.name)
	if err != nil {
		return err
	}
	if err := s.Log.ReadOnly(); err != nil {
		return err // rather than after the client has sent the content
	}
	if r.URL.RawQuery != "" {
		q := r.URL.Query()
		if q.Has("mount") {
			d, err := parseDigest(q.Get("mount"))
			if err != nil {
				return err
			}
			mounted, err := s.mount(r, to.who, name, q.Get("from"), d)
			if err != nil {
				return err
			}
			if mounted {
				return created(w, to.name, d)
			}
		} else if q.Has("digest") {
			return s.uploadWhole(w, r, to, name, q.Get("digest"))
		}
	}
	if err := s.mayUpload(r.Context(), to.who, name); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(bodies.Of(w, r), 1)); err != nil {
		return errTruncated
	}
	id, err := s.Blobs.Begin(r.Context(), name)
	if err != nil {
		return err
	}
	s.uploads.Begun(to.who, id)
	return uploading(w, http.StatusAccepted, to.name, id, 0)
}

// mayUpload refuses an upload that could not be used, before its content is sent.
func (s *Registry) mayUpload(ctx context.Context, who access.Principal, name string) error {
	if err := s.uploads.Allow(who); err != nil {
		return err
	}
	return s.checkRoom(ctx, name)
}

// uploadWhole is a monolithic upload in one POST.
func (s *Registry) uploadWhole(w http.ResponseWriter, r *http.Request, to route, name, sum string) error {
	d, err := parseDigest(sum)
	if err != nil {
		return err
	}
	if err := s.mayUpload(r.Context(), to.who, name); err != nil {
		return err
	}
	body := bodies.Of(w, r)
	metered, end, err := s.metered(r, body, name, d)
	defer end()
	if err != nil {
		return err
	}
	size, err := s.Blobs.Put(r.Context(), d, metered, r.ContentLength, s.claim(name, d))
	switch {
	case metered.Refused() != nil:
		return metered.Refused()
	case body.Failed():
		return errTruncated
	case err != nil:
		return err
	}
	s.leasedNow(name, "", d, size)
	s.Metrics.Uploads.Inc()
	return created(w, to.name, d)
}

// writeUpload is PATCH: a chunk, or a stream without a length.
func (s *Registry) writeUpload(w http.ResponseWriter, r *http.Request, to route) error {
	name, at, err := s.chunk(w, r, to)
	if err != nil {
		return err
	}
	if err := s.receive(w, r, name, to.ref, at, ""); err != nil {
		return s.outOfOrder(w, to, err)
	}
	size, err := s.Blobs.Offset(r.Context(), name, to.ref)
	if err != nil {
		return err
	}
	return uploading(w, http.StatusAccepted, to.name, to.ref, size)
}

// finishUpload is PUT: the last chunk, if there is one, and the digest.
func (s *Registry) finishUpload(w http.ResponseWriter, r *http.Request, to route) error {
	d, err := parseDigest(r.URL.Query().Get("digest"))
	if err != nil {
		return err
	}
	name, at, err := s.chunk(w, r, to)
	if err != nil {
		return err
	}
	if r.ContentLength != 0 || at >= 0 {
		if err := s.receive(w, r, name, to.ref, at, d); err != nil {
			return s.outOfOrder(w, to, err)
		}
	}
	if err := s.finish(r.Context(), name, to.ref, d); err != nil {
		return err
	}
	return created(w, to.name, d)
}

// uploadStatus is GET: how much of an upload has arrived.
func (s *Registry) uploadStatus(w http.ResponseWriter, r *http.Request, to route) error {
	name, err := fullName(to.name)
	if err != nil {
		return err
	}
	size, err := s.Blobs.Offset(r.Context(), name, to.ref)
	if err != nil {
		return err
	}
	return uploading(w, http.StatusNoContent, to.name, to.ref, size)
}

// cancelUpload is DELETE.
func (s *Registry) cancelUpload(w http.ResponseWriter, r *http.Request, to route) error {
	name, err := fullName(to.name)
	if err != nil {
		return err
	}
	if err := s.Blobs.Cancel(r.Context(), name, to.ref); err != nil {
		return err
	}
	s.ended(name, to.ref)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// ended stops counting an upload.
func (s *Registry) ended(name, id string) {
	s.uploads.Ended(id)
	s.usage.Ended(access.NamespaceOf(name), counted(name, id))
}

// claim leases a blob to the name between the verification of its content and
// the moment the content becomes the blob: a client that does not have the
// content must not get the lease, and garbage collection must not take a blob
// that an upload relies on. A blob that is being collected at this moment is
// waited for; the upload then puts it back.
func (s *Registry) claim(name string, d digest.Digest) func(context.Context) error {
	return func(ctx context.Context) error {
		until := time.Now().Add(s.LeaseTerm)
		for {
			err := s.Leases.Take(ctx, name, until, d)
			if !errors.Is(err, leases.ErrLeaving) {
				return err
			}
			if err := s.Leases.WaitCleared(ctx, d); err != nil {
				return err
			}
		}
	}
}

// finish verifies an upload and makes it the blob of that digest, leased to
// the name.
func (s *Registry) finish(ctx context.Context, name, id string, d digest.Digest) error {
	size, err := s.Blobs.Finish(ctx, name, id, d, s.claim(name, d))
	if err == nil {
		s.Metrics.Uploads.Inc()
		s.leasedNow(name, counted(name, id), d, size)
	}
	if err == nil || errors.Is(err, blobs.ErrDigestMismatch) {
		s.ended(name, id)
	}
	return err
}

func uploadHeaders(w http.ResponseWriter, name, id string, size int64) {
	h := w.Header()
	h.Set("Location", "/v2/"+name+"/blobs/uploads/"+id)
	h.Set("Docker-Upload-UUID", id)
	h.Set("Range", "0-"+strconv.FormatInt(max(size-1, 0), 10))
}

func uploading(w http.ResponseWriter, status int, name, id string, size int64) error {
	uploadHeaders(w, name, id, size)
	if status != http.StatusNoContent {
		w.Header().Set("Content-Length", "0")
	}
	w.WriteHeader(status)
	return nil
}

func created(w http.ResponseWriter, name string, d digest.Digest) error {
	h := w.Header()
	h.Set("Location", "/v2/"+name+"/blobs/"+d.String())
	h.Set("Docker-Content-Digest", d.String())
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}
