package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/registry/blobs"
)

var octetStream = []string{"application/octet-stream"}

// getBlob serves GET and HEAD (distribution-spec, "Pulling blobs"), with
// ranges and conditions as RFC 9110 has them.
func (s *Registry) getBlob(w http.ResponseWriter, r *http.Request, to route) error {
	d, err := parseDigest(to.ref)
	if err != nil {
		return err
	}
	size, err := s.blob(r.Context(), to.name, d, s.seen())
	if isNotFound(err) && r.Method != http.MethodHead {
		size, err = s.pastBlob(r.Context(), to.name, d, err)
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h["Docker-Content-Digest"] = []string{to.ref}
	h["Content-Type"] = octetStream
	h["Etag"] = []string{`"` + to.ref + `"`}
	h["Accept-Ranges"] = acceptRanges
	if r.Method == http.MethodHead {
		r.Header.Del("Range") // which is for GET only (RFC 9110, section 14.2)
	}
	if r.Method == http.MethodHead && r.Header["If-None-Match"] == nil {
		h["Content-Length"] = []string{strconv.FormatInt(size, 10)}
		w.WriteHeader(http.StatusOK)
		return nil
	}
	if ranges := r.Header["Range"]; len(ranges) > 0 && strings.Count(ranges[0], ",") >= maxRanges {
		r.Header.Del("Range") // the whole blob is less work
	}
	f, _, err := s.Blobs.Open(r.Context(), d)
	if errors.Is(err, blobs.ErrNotFound) {
		s.Logger.Warn("a blob is missing in the store although a lease or manifest holds it; push it again", "digest", d)
		return blobUnknown(to.ref)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if r.Header["Range"] == nil && r.Header["If-None-Match"] == nil && size <= maxSmall {
		return s.sendSmall(w, f, d, size)
	}
	// A store of files gives an *os.File, which ServeContent hands to the
	// connection as it is: the kernel sends it without copying. The content never
	// changes, so it has no date.
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// pastBlob is the size of a blob that can be read for however short a while, because a tag as
// of an earlier time was resolved to its image; otherwise the error is the one given.
func (s *Registry) pastBlob(ctx context.Context, name string, d digest.Digest, unknown error) (int64, error) {
	full, err := fullName(name)
	if err != nil {
		return 0, err
	}
	if ok, err := s.past.Readable(ctx, full, d, false); err != nil {
		return 0, err
	} else if !ok {
		return 0, unknown
	}
	return s.stat(ctx, d)
}

// maxRanges bounds the ranges of one request. One with more is answered by the
// whole blob (RFC 9110, section 14.2, allows that): each range costs a header.
const maxRanges = 8

var acceptRanges = []string{"bytes"}

// maxSmall is up to which size a blob is sent in one write together with the
// headers: less work than handing the kernel a file.
const maxSmall = 32 << 10

var smallBuffers = sync.Pool{New: func() any { return new([maxSmall]byte) }}

func (s *Registry) sendSmall(w http.ResponseWriter, content io.Reader, d digest.Digest, size int64) error {
	buf := smallBuffers.Get().(*[maxSmall]byte)
	defer smallBuffers.Put(buf)
	if _, err := io.ReadFull(content, buf[:size]); err != nil {
		return errors.Join(err, errors.New("blob "+d.String()+" is shorter than its size"))
	}
	w.Header()["Content-Length"] = []string{strconv.FormatInt(size, 10)}
	_, err := w.Write(buf[:size])
	return ignoreGone(err)
}

// ReadBlob reads a blob of at most max bytes that a live manifest of a repository
// needs: by the rule by which clients read blobs, without leases. The error wraps
// images.ErrNotFound when there is none, or none so small.
func (s *Registry) ReadBlob(ctx context.Context, repo string, d digest.Digest, max int64) ([]byte, error) {
	held, err := s.Images.HoldsBlob(ctx, repo, d)
	if err != nil {
		return nil, err
	}
	if !held {
		return nil, fmt.Errorf("blob %s: %w", d, images.ErrNotFound)
	}
	f, size, err := s.Blobs.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > max {
		return nil, fmt.Errorf("blob %s has %d bytes, more than %d: %w", d, size, max, images.ErrNotFound)
	}
	return io.ReadAll(io.LimitReader(f, max))
}

// OpenBlob opens a blob of the store, for a caller that knows who may read it. The error
// wraps fs.ErrNotExist when it is not there, or damaged.
func (s *Registry) OpenBlob(ctx context.Context, d digest.Digest) (io.ReadCloser, int64, error) {
	if s.Blobs == nil { // a node that neither reads nor writes blobs
		return nil, 0, fmt.Errorf("blob %s: %w", d, fs.ErrNotExist)
	}
	f, size, err := s.Blobs.Open(ctx, d)
	if errors.Is(err, blobs.ErrNotFound) {
		err = fmt.Errorf("%w: %w", err, fs.ErrNotExist)
	}
	return f, size, err
}
