package registry_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hubledger/services/registry/registrytest"
)

// An upload is known under the name of the repository that it was begun in,
// and under no other.
func TestUploadOfAnotherRepository(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	const content = "alice's"
	path := begin(t, c, "alice/app")
	c.Must(t, "PATCH", path, []byte(content)).Want(t, 202)
	before := h.Traces()
	for _, name := range []string{"bob/app", "alice/app2", "alice"} {
		stolen := strings.Replace(path, "alice/app", name, 1)
		for _, method := range []string{"GET", "PATCH", "DELETE"} {
			c.Must(t, method, stolen, nil).WantError(t, 404, "BLOB_UPLOAD_UNKNOWN")
		}
		c.Must(t, "PUT", stolen+"?digest="+registrytest.Sum(content).String(), nil).WantError(t, 404, "BLOB_UPLOAD_UNKNOWN")
	}
	if after := h.Traces(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	created(t, c.Must(t, "PUT", path+"?digest="+registrytest.Sum(content).String(), nil), "alice/app", registrytest.Sum(content))
}

// Whoever uploads something else under the digest of a blob that only another
// repository has must not come to read that blob.
func TestDigestAloneOpensNothing(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		const secret = "bob's secret"
		c.MustPush(t, "bob/private", "1", registrytest.NewImage(secret))
		check(t, c.PushBlob("bob/private", "leased secret"))
		for _, d := range []string{registrytest.Sum(secret).String(), registrytest.Sum("leased secret").String()} {
			before := h.Traces()
			for _, garbage := range []string{"", "garbage", strings.Repeat("x", len(secret))} {
				c.Must(t, "PUT", begin(t, c, "alice/app")+"?digest="+d, []byte(garbage)).WantError(t, 400, "DIGEST_INVALID")
				c.Must(t, "POST", "/v2/alice/app/blobs/uploads/?digest="+d, []byte(garbage)).WantError(t, 400, "DIGEST_INVALID")
				path := begin(t, c, "alice/app")
				c.Must(t, "PATCH", path, []byte(garbage)).Want(t, 202)
				c.Must(t, "PUT", path+"?digest="+d, nil).WantError(t, 400, "DIGEST_INVALID")
				c.Must(t, "GET", "/v2/alice/app/blobs/"+d, nil).Want(t, 404)
				c.Must(t, "HEAD", "/v2/alice/app/blobs/"+d, nil).Want(t, 404)
			}
			if after := h.Traces(); after != before { // the uploads are gone, too
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
		}
	})
}

// Clients that open uploads and go away: what they left is purged when nothing
// was written to it for a day, and not before.
func TestAbandonedUploads(t *testing.T) {
	t.Parallel()
	const abandoned = 10_000
	h := registrytest.Start(t, registrytest.Config{})
	before := h.Traces()
	var work sync.WaitGroup
	var failed atomic.Value
	for range 8 {
		c := h.Client()
		work.Go(func() {
			for n := range abandoned / 8 {
				a, err := c.Do("POST", "/v2/alice/app/blobs/uploads/", nil)
				if err == nil {
					err = a.Is(202)
				}
				if err == nil && n%10 == 0 { // some have got further
					_, err = c.Do("PATCH", a.Header.Get("Location"), []byte("something"))
				}
				if err != nil {
					failed.Store(err)
					return
				}
			}
		})
	}
	work.Wait()
	if err, _ := failed.Load().(error); err != nil {
		t.Fatal(err)
	}
	c := h.Client()
	alive := begin(t, c, "alice/app")
	dir := filepath.Join(h.Dir, "registry", "uploads")
	entries, err := os.ReadDir(dir)
	check(t, err)
	if len(entries) != abandoned+1 {
		t.Fatalf("%d uploads", len(entries))
	}
	if n, err := h.Blobs.PurgeUploads(t.Context(), 24*time.Hour); n != 0 || err != nil {
		t.Fatalf("purged %d uploads of today, %v", n, err)
	}
	id := alive[strings.LastIndexByte(alive, '/')+1:]
	old := time.Now().Add(-25 * time.Hour)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), id) {
			check(t, os.Chtimes(filepath.Join(dir, e.Name()), old, old))
		}
	}
	if n, err := h.Blobs.PurgeUploads(t.Context(), 24*time.Hour); n != abandoned || err != nil {
		t.Fatalf("purged %d uploads, %v", n, err)
	}
	c.Must(t, "PUT", alive+"?digest="+registrytest.Sum("alive").String(), []byte("alive")).Want(t, 201)
	c.Must(t, "DELETE", "/v2/alice/app/blobs/"+registrytest.Sum("alive").String(), nil).Want(t, 202)
	after := h.Traces()
	if strings.Contains(after, "/uploads/") || strings.Count(after, "\n") > strings.Count(before, "\n")+2 {
		t.Errorf("left behind:\n%s", after)
	}
}

// A full disk: uploads are refused with 507 and keep what they had; pulls and
// deletions go on; once there is space everything works again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	var full atomic.Bool
	for name, fs := range map[string]*registrytest.HookedFS{
		"reserve reached": {Free: func() int64 {
			if full.Load() {
				return 10
			}
			return 1 << 40
		}},
		"no space for a write": {Before: func(op, path string) error {
			if full.Load() && op == "write" {
				return &os.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
			}
			return nil
		}},
		"no space for a file": {Before: func(op, path string) error {
			if full.Load() && (op == "create" || op == "write") {
				return &os.PathError{Op: "open", Path: path, Err: syscall.ENOSPC}
			}
			return nil
		}},
		"no space for a name": {Before: func(op, path string) error {
			if full.Load() && op == "rename" {
				return &os.LinkError{Op: "rename", New: path, Err: syscall.ENOSPC}
			}
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			full.Store(false)
			h := registrytest.Start(t, registrytest.Config{FS: fs, Reserve: 1 << 20})
			c := h.Client()
			image := c.MustPush(t, "alice/app", "1", registrytest.NewImage("layer"))
			path := begin(t, c, "alice/app")
			c.Must(t, "PATCH", path, []byte("first half, ")).Want(t, 202)
			before := h.Traces()
			full.Store(true)
			refused := func() bool {
				a := c.Must(t, "POST", "/v2/alice/app/blobs/uploads/?digest="+registrytest.Sum("more").String(), []byte("more"))
				if a.Status == 201 { // the disk is looked at once a second
					c.Must(t, "DELETE", "/v2/alice/app/blobs/"+registrytest.Sum("more").String(), nil).Want(t, 202)
					return false
				}
				a.WantError(t, http507, "DENIED")
				return true
			}
			if name == "reserve reached" {
				until(t, refused)
				before = h.Traces()
			} else if !refused() {
				t.Fatal("uploaded to a full disk")
			}
			if name != "no space for a name" {
				c.Must(t, "PATCH", path, []byte("second half")).WantError(t, http507, "DENIED")
			}
			c.Must(t, "GET", path, nil).Want(t, 204).WantHeader(t, "Range", "0-11")
			if after := h.Traces(); after != before && name != "no space for a name" {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
			_, err := c.Pull("alice/app", "1")
			check(t, err)
			c.Must(t, "DELETE", "/v2/alice/app/manifests/1", nil).Want(t, 202)
			full.Store(false)
			until(t, func() bool {
				return c.Must(t, "PATCH", path, []byte("second half"), "Content-Range", "12-22").Status == 202
			})
			d := registrytest.Sum("first half, second half")
			created(t, c.Must(t, "PUT", path+"?digest="+d.String(), nil), "alice/app", d)
			c.MustPush(t, "alice/app", "2", registrytest.NewImage("layer", "after"))
			_, err = c.Pull("alice/app", image.Digest().String())
			check(t, err)
		})
	}
}

const http507 = 507

// until asks again and again, for ten seconds at most.
func until(t testing.TB, ask func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ask() {
			return
		}
	}
	t.Fatal("it does not come to pass")
}
