package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/access"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/bodies"
)

var errTruncated = fail(http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "the request ended before its body did")

// chunk parses at which offset of the upload a request's body belongs; -1 is
// wherever the upload ends.
func (s *Registry) chunk(w http.ResponseWriter, r *http.Request, to route) (name string, at int64, err error) {
	if name, err = fullName(to.name); err != nil {
		return "", 0, err
	}
	header := r.Header.Get("Content-Range")
	if header == "" {
		return name, -1, nil
	}
	first, size, ok := parseContentRange(header)
	if !ok || r.ContentLength >= 0 && size != r.ContentLength {
		return "", 0, fail(http.StatusRequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID", "Content-Range is <first>-<last> in bytes, and as long as the body")
	}
	return name, first, nil
}

// parseContentRange parses <first>-<last> (distribution-spec, "Pushing a blob in
// chunks"), or the same as RFC 9110 has it: bytes <first>-<last>/<size>. A last
// byte before the first is the range of an empty chunk.
func parseContentRange(header string) (first, size int64, ok bool) {
	header, _, _ = strings.Cut(strings.TrimPrefix(header, "bytes "), "/")
	from, to, ok := strings.Cut(header, "-")
	a, err1 := strconv.ParseUint(from, 10, 62)
	b, err2 := strconv.ParseUint(to, 10, 62)
	if !ok || err1 != nil || err2 != nil || b+1 < a {
		return 0, 0, false
	}
	return int64(a), int64(b) + 1 - int64(a), true
}

// receive appends a body to an upload. When the body breaks off, what had arrived
// stays, so that the client can go on from there. An upload for which the
// namespace has no room ends. d is the blob that it is to become, if that is known.
func (s *Registry) receive(w http.ResponseWriter, r *http.Request, name, id string, at int64, d digest.Digest) error {
	if !s.uploads.Known(id) { // from before a restart, or another node's
		if err := s.checkRoom(r.Context(), name); err != nil {
			return err
		}
	}
	body := bodies.Of(w, r)
	metered, end, err := s.metered(r, body, name, d)
	if err == nil {
		_, err = s.Blobs.Write(r.Context(), name, id, at, metered)
	}
	end()
	// What a broken connection has left is refused as well, or it could grow so.
	if gerr := s.countUpload(r.Context(), name, id, d); err == nil || isProblem(gerr) {
		err = gerr
	}
	var refused *problem
	if errors.As(err, &refused) {
		if cerr := s.Blobs.Cancel(context.WithoutCancel(r.Context()), name, id); cerr == nil {
			s.ended(name, id)
		}
		return err
	}
	if err != nil && body.Failed() {
		return errTruncated
	}
	return err
}

// countUpload lets the quota know what has arrived of an upload, however a write
// to it ended. A write does not know that when it did not get its turn, and somebody
// may have ended the upload meanwhile.
func (s *Registry) countUpload(ctx context.Context, name, id string, d digest.Digest) error {
	ctx = context.WithoutCancel(ctx)
	size, err := s.Blobs.Offset(ctx, name, id)
	if errors.Is(err, blobs.ErrUploadUnknown) {
		s.usage.Ended(access.NamespaceOf(name), counted(name, id))
	}
	if err != nil {
		return err
	}
	return overQuota(access.NamespaceOf(name), s.usage.Grow(ctx, access.NamespaceOf(name), counted(name, id), size, d))
}

// outOfOrder refuses a chunk that does not follow the last one, and tells where
// the upload ends (distribution-spec, "Pushing a blob in chunks").
func (s *Registry) outOfOrder(w http.ResponseWriter, to route, err error) error {
	var offset *blobs.OffsetError
	if !errors.As(err, &offset) {
		return err
	}
	uploadHeaders(w, to.name, to.ref, offset.Offset)
	return fail(http.StatusRequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID",
		fmt.Sprintf("the next chunk begins at %d", offset.Offset))
}
