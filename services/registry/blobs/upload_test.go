package blobs_test

import (
	"bytes"
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/blobs"
)

func TestUploadInChunks(t *testing.T) {
	for _, size := range []int{0, 1, 10 << 10, 64 << 10, 64<<10 + 1, 3<<20 + 7} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s := open(t, blobs.Config{Dir: t.TempDir()})
			p := content(1, size)
			id := begin(t, s)
			half := size / 2
			for _, part := range [][]byte{p[:half], p[half:]} {
				before, err := s.Offset(t.Context(), repo, id)
				check(t, err)
				after, err := s.Write(t.Context(), repo, id, before, bytes.NewReader(part))
				check(t, err)
				if after != before+int64(len(part)) {
					t.Fatalf("offset %d after %d bytes at %d", after, len(part), before)
				}
			}
			_, err := s.Stat(t.Context(), digestOf(p))
			mustBe(t, err, blobs.ErrNotFound)
			got, err := s.Finish(t.Context(), repo, id, digestOf(p), nil)
			check(t, err)
			if got != int64(size) {
				t.Fatalf("finished with %d bytes", got)
			}
			mustRead(t, s, digestOf(p), p)
			check(t, s.Sync(t.Context(), digestOf(p)))
			mustRead(t, s, digestOf(p), p)
			_, err = s.Offset(t.Context(), repo, id)
			mustBe(t, err, blobs.ErrUploadUnknown)
		})
	}
}

func TestWrongOffsetChangesNothing(t *testing.T) {
	s := open(t, blobs.Config{Dir: t.TempDir()})
	id := begin(t, s)
	write(t, s, id, []byte("hello"))
	for _, at := range []int64{0, 4, 6} {
		body := strings.NewReader("x")
		_, err := s.Write(t.Context(), repo, id, at, body)
		var offset *blobs.OffsetError
		if !errors.As(err, &offset) || offset.Offset != 5 || body.Len() != 1 {
			t.Fatalf("write at %d: %v, %d bytes of the body left", at, err, body.Len())
		}
	}
	_, err := s.Finish(t.Context(), repo, id, digest.FromString("hello"), nil)
	check(t, err)
}

func TestBrokenBodyKeepsWhatArrived(t *testing.T) {
	for _, size := range []int{3, 100 << 10, 2 << 20} {
		s := open(t, blobs.Config{Dir: t.TempDir()})
		p := content(1, size)
		id := begin(t, s)
		offset, err := s.Write(t.Context(), repo, id, 0, broken(p[:size/3]))
		if err == nil || offset != int64(size/3) {
			t.Fatalf("a body that broke after %d bytes: offset %d, %v", size/3, offset, err)
		}
		write(t, s, id, p[size/3:])
		_, err = s.Finish(t.Context(), repo, id, digestOf(p), nil)
		check(t, err)
		mustRead(t, s, digestOf(p), p)
	}
}

func TestMismatchRemovesTheUpload(t *testing.T) {
	dir := t.TempDir()
	s := open(t, blobs.Config{Dir: dir})
	id := begin(t, s)
	write(t, s, id, []byte("hello"))
	_, err := s.Finish(t.Context(), repo, id, digest.FromString("other"), nil)
	mustBe(t, err, blobs.ErrDigestMismatch)
	_, err = s.Write(t.Context(), repo, id, -1, strings.NewReader("x"))
	mustBe(t, err, blobs.ErrUploadUnknown)
	_, err = s.Put(t.Context(), digest.FromString("other"), strings.NewReader("hello"), 5, nil)
	mustBe(t, err, blobs.ErrDigestMismatch)
	_, err = s.Put(t.Context(), digest.FromString("hello"), strings.NewReader("hello"), 6, nil)
	mustBe(t, err, blobs.ErrSizeMismatch)
	_, err = s.Put(t.Context(), digest.FromString("hello"), broken([]byte("hello")), -1, nil)
	if err == nil {
		t.Fatal("a broken body was stored")
	}
	mustBeEmpty(t, dir, "uploads", "pending", "blobs/sha256")
}

func TestUploadBelongsToItsRepository(t *testing.T) {
	s := open(t, blobs.Config{Dir: t.TempDir()})
	id := begin(t, s)
	write(t, s, id, []byte("hello"))
	_, err := s.Offset(t.Context(), "bob/app", id)
	mustBe(t, err, blobs.ErrUploadUnknown)
	_, err = s.Write(t.Context(), "bob/app", id, -1, strings.NewReader("x"))
	mustBe(t, err, blobs.ErrUploadUnknown)
	_, err = s.Finish(t.Context(), "bob/app", id, digest.FromString("hello"), nil)
	mustBe(t, err, blobs.ErrUploadUnknown)
	mustBe(t, s.Cancel(t.Context(), "bob/app", id), blobs.ErrUploadUnknown)
	_, err = s.Finish(t.Context(), repo, id, digest.FromString("hello"), nil)
	check(t, err)
}

func TestGarbageNamesReachNoPath(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "store")
	s := open(t, blobs.Config{Dir: dir})
	check(t, os.WriteFile(filepath.Join(parent, "secret"), []byte("hello"), 0o600))
	real := begin(t, s)
	for _, id := range []string{"", ".", "..", "../../secret", "..%2fsecret", strings.ToUpper(real), "{" + real + "}",
		"urn:uuid:" + real, strings.ReplaceAll(real, "-", ""), real + "\x00", real + "/../" + real, strings.Repeat("a", 1<<16)} {
		_, err := s.Offset(t.Context(), repo, id)
		mustBe(t, err, blobs.ErrUploadUnknown)
		_, err = s.Write(t.Context(), repo, id, -1, strings.NewReader("x"))
		mustBe(t, err, blobs.ErrUploadUnknown)
		mustBe(t, s.Cancel(t.Context(), repo, id), blobs.ErrUploadUnknown)
	}
	hello := string(digest.FromString("hello"))
	for _, text := range []string{"", "sha256", "sha256:", "sha256:../../../secret", "sha256:" + strings.Repeat("/", 64),
		"sha256:" + strings.ToUpper(hello[7:]), hello + "0", hello[:70], "md5:" + hello[7:39], "sha384:" + strings.Repeat("a", 96),
		"sha512:" + hello[7:], "sha256:" + strings.Repeat("a", 128), hello + "\n", "SHA256:" + hello[7:]} {
		d := digest.Digest(text)
		_, err := blobs.ParseDigest(text)
		mustBe(t, err, blobs.ErrBadDigest)
		_, err = s.Stat(t.Context(), d)
		mustBe(t, err, blobs.ErrBadDigest)
		_, _, err = s.Open(t.Context(), d)
		mustBe(t, err, blobs.ErrBadDigest)
		mustBe(t, s.Remove(t.Context(), d), blobs.ErrBadDigest)
		mustBe(t, s.Sync(t.Context(), d), blobs.ErrBadDigest)
		_, err = s.Finish(t.Context(), repo, real, d, nil)
		mustBe(t, err, blobs.ErrBadDigest)
		_, err = s.Put(t.Context(), d, strings.NewReader("x"), 1, nil)
		mustBe(t, err, blobs.ErrBadDigest)
	}
}

func TestSHA512(t *testing.T) {
	s := open(t, blobs.Config{Dir: t.TempDir()})
	for i, store := range []func(p []byte, d digest.Digest) error{
		func(p []byte, d digest.Digest) error {
			id := begin(t, s)
			write(t, s, id, p)
			_, err := s.Finish(t.Context(), repo, id, d, nil)
			return err
		},
		func(p []byte, d digest.Digest) error {
			_, err := s.Put(t.Context(), d, bytes.NewReader(p), int64(len(p)), nil)
			return err
		},
	} {
		p := content(byte(i), 300<<10)
		d := digest.NewDigestFromBytes(digest.SHA512, func() []byte { sum := sha512.Sum512(p); return sum[:] }())
		check(t, store(p, d))
		check(t, s.Sync(t.Context(), d))
		mustRead(t, s, d, p)
	}
}

func TestTooLargeIsTakenBack(t *testing.T) {
	dir := t.TempDir()
	s := open(t, blobs.Config{Dir: dir, MaxBlobSize: 1 << 20})
	p := content(1, 1<<20)
	id := begin(t, s)
	write(t, s, id, p[:100])
	offset, err := s.Write(t.Context(), repo, id, 100, bytes.NewReader(p))
	mustBe(t, err, blobs.ErrTooLarge)
	if offset != 100 {
		t.Fatalf("offset %d after a refused write", offset)
	}
	write(t, s, id, p[100:])
	_, err = s.Finish(t.Context(), repo, id, digestOf(p), nil)
	check(t, err)
	_, err = s.Put(t.Context(), digestOf(p), io.MultiReader(bytes.NewReader(p), strings.NewReader("x")), -1, nil)
	mustBe(t, err, blobs.ErrTooLarge)
	mustBeEmpty(t, dir, "uploads")
}

func TestCancelEndsAWriteThatGoesOn(t *testing.T) {
	dir := t.TempDir()
	s := open(t, blobs.Config{Dir: dir})
	id := begin(t, s)
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := s.Write(t.Context(), repo, id, -1, r)
		r.Close() // as a server closes the connection
		done <- err
	}()
	w.Write(content(1, 100<<10)) // returns when the writer has taken it
	check(t, s.Cancel(t.Context(), repo, id))
	w.Write(content(2, 1<<20))
	mustBe(t, <-done, blobs.ErrUploadUnknown)
	mustBe(t, s.Cancel(t.Context(), repo, id), blobs.ErrUploadUnknown)
	mustBeEmpty(t, dir, "uploads")
}

func TestWritersToOneUploadTakeTurns(t *testing.T) {
	s := open(t, blobs.Config{Dir: t.TempDir()})
	id := begin(t, s)
	const writers, size = 8, 10 << 10
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			_, err := s.Write(t.Context(), repo, id, -1, bytes.NewReader(bytes.Repeat([]byte{byte(i)}, size)))
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	slow := make(chan error)
	go func() { _, err := s.Write(t.Context(), repo, id, -1, r); slow <- err }()
	w.Write([]byte("x")) // the slow one has its turn now
	cancel()
	_, err := s.Write(ctx, repo, id, -1, strings.NewReader("y"))
	mustBe(t, err, context.Canceled)
	offset, err := s.Offset(t.Context(), repo, id) // does not wait
	check(t, err)
	if offset != writers*size {
		t.Fatalf("offset %d", offset)
	}
	w.Close()
	check(t, <-slow)
}

func TestUploadResumesAfterRestart(t *testing.T) {
	dir := t.TempDir()
	p := content(1, 200<<10)
	s := open(t, blobs.Config{Dir: dir})
	id, gone := begin(t, s), push(t, s, []byte("never synced"))
	write(t, s, id, p[:150<<10])
	// The process dies: nothing is closed.
	s = open(t, blobs.Config{Dir: dir})
	_, err := s.Stat(t.Context(), gone)
	mustBe(t, err, blobs.ErrNotFound)
	offset, err := s.Offset(t.Context(), repo, id)
	check(t, err)
	if offset != 150<<10 {
		t.Fatalf("offset %d after a restart", offset)
	}
	write(t, s, id, p[150<<10:])
	_, err = s.Finish(t.Context(), repo, id, digestOf(p), nil)
	check(t, err)
	mustRead(t, s, digestOf(p), p)
}

// Uploads that nobody goes on with cost no descriptors, and beyond a bound no
// memory; all of them can go on.
func TestIdleUploadsAreParked(t *testing.T) {
	s := open(t, blobs.Config{Dir: t.TempDir(), MaxOpenUploads: 4, MaxIdleUploads: 16})
	before := len(files(t, "/proc/self", "fd"))
	var ids []string
	for range 200 {
		id := begin(t, s)
		write(t, s, id, []byte("hello "))
		ids = append(ids, id)
	}
	if after := len(files(t, "/proc/self", "fd")); after > before+4+4 {
		t.Errorf("%d descriptors before, %d after 200 uploads", before, after)
	}
	for _, id := range slices.Backward(ids) {
		offset, err := s.Offset(t.Context(), repo, id)
		check(t, err)
		_, err = s.Write(t.Context(), repo, id, offset, strings.NewReader(id))
		check(t, err)
		_, err = s.Finish(t.Context(), repo, id, digest.FromString("hello "+id), nil)
		check(t, err)
	}
}

func TestPurgeTakesOnlyOldUploads(t *testing.T) {
	dir := t.TempDir()
	s := open(t, blobs.Config{Dir: dir})
	old, young := begin(t, s), begin(t, s)
	for _, name := range files(t, dir, "uploads") {
		if strings.HasPrefix(name, old) {
			yesterday := time.Now().Add(-25 * time.Hour)
			check(t, os.Chtimes(filepath.Join(dir, "uploads", name), yesterday, yesterday))
		}
	}
	n, err := s.PurgeUploads(t.Context(), 24*time.Hour)
	check(t, err)
	_, oldErr := s.Write(t.Context(), repo, old, -1, strings.NewReader("x"))
	_, youngErr := s.Write(t.Context(), repo, young, -1, strings.NewReader("x"))
	if n != 1 || !errors.Is(oldErr, blobs.ErrUploadUnknown) || youngErr != nil {
		t.Fatalf("%d purged; the old one: %v, the young one: %v", n, oldErr, youngErr)
	}
}
