package registry_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/registry/registrytest"
)

// quotas are those of one namespace; no other has one.
type quotas struct {
	namespace     string // "" is alice
	bytes, images atomic.Int64
}

func (q *quotas) Quota(_ context.Context, namespace string) (bytes, images int64, err error) {
	if namespace != cmp.Or(q.namespace, "alice") {
		return 0, 0, nil
	}
	return q.bytes.Load(), q.images.Load(), nil
}

// size is what an image takes when all of it is new.
func size(i *registrytest.Image) int64 {
	n := int64(len(i.Manifest))
	for _, b := range i.Blobs {
		n += int64(len(b))
	}
	return n
}

func TestQuotaOfBytes(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		q := &quotas{}
		h.Registry.Quotas = q
		c := h.Client()
		base := strings.Repeat("base", 1000)
		first, second := registrytest.NewImage(base, "first"), registrytest.NewImage(base, "second")
		c.MustPush(t, "alice/app", "1", first)
		c.MustPush(t, "bob/app", "1", second)
		// What two images share counts once, in whatever repository of the namespace.
		both := size(first) + size(second) - int64(len(base))
		q.bytes.Store(both - 1)
		if err := c.Push("alice/other", "2", second); registrytest.Refused(err) != 403 {
			t.Fatalf("pushed over the quota: %v", err)
		}
		a := c.Must(t, "PUT", "/v2/alice/other/manifests/2", second.Manifest, "Content-Type", second.MediaType)
		says(t, a.WantError(t, 403, "DENIED"), "the quota of alice is used up", "and this adds", "delete images")
		if _, err := h.Registry.Images.Repository(t.Context(), "alice/other"); err == nil {
			t.Error("a refused push made a repository")
		}
		q.bytes.Store(both)
		c.MustPush(t, "alice/other", "2", second)
		c.MustPush(t, "alice/other", "again", second) // adds nothing
		c.Must(t, "POST", "/v2/alice/app/blobs/uploads/", nil).WantError(t, 403, "DENIED")
		c.Must(t, "POST", "/v2/alice/app/blobs/uploads/?digest="+registrytest.Sum("x").String(), []byte("x")).WantError(t, 403, "DENIED")
		c.Must(t, "POST", "/v2/bob/app/blobs/uploads/", nil).Want(t, 202)
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+first.Digest().String(), nil).Want(t, 202)
		begin(t, c, "alice/app")
		third := registrytest.NewImage(base, "third")
		c.MustPush(t, "alice/app", "3", third) // as large as the first
		if err := c.Push("alice/app", "4", registrytest.NewImage(base, "4")); registrytest.Refused(err) != 403 {
			t.Fatalf("pushed over the quota: %v", err)
		}
		// Another process knows the same.
		h.Restart()
		h.Registry.Quotas = q
		c = h.Client()
		c.Must(t, "POST", "/v2/alice/app/blobs/uploads/", nil).WantError(t, 403, "DENIED")
		c.MustPush(t, "alice/app", "3", third)
	})
}

// What no image names yet counts, too: open uploads, and blobs that only a lease
// holds; and no way in leads round it.
func TestQuotaOfUploads(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		q := &quotas{}
		h.Registry.Quotas = q
		c := h.Client()
		c.MustPush(t, "alice/app", "1", registrytest.NewImage("small"))
		c.MustPush(t, "bob/app", "1", registrytest.NewImage(strings.Repeat("b", 20_000)))
		q.bytes.Store(10_000)
		six := strings.Repeat("6", 6000)
		blob := func(content string) string { return "/v2/alice/app/blobs/" + registrytest.Sum(content).String() }
		const uploads = "/v2/alice/app/blobs/uploads/"
		whole := func(content string) *registrytest.Answer {
			return c.Must(t, "POST", uploads+"?digest="+registrytest.Sum(content).String(), []byte(content))
		}
		full := func(what string, a *registrytest.Answer) {
			t.Helper()
			says(t, a.WantError(t, 403, "DENIED"), "the quota of alice is used up")
			if has, err := c.HasBlob("alice/app", registrytest.Sum(six+what)); has || err != nil {
				t.Errorf("%s is there: %v", what, err)
			}
		}
		// Open uploads.
		first, second := begin(t, c, "alice/app"), begin(t, c, "alice/app")
		c.Must(t, "PATCH", first, []byte(six)).Want(t, 202)
		full("a second upload", c.Must(t, "PATCH", second, []byte(six)))
		c.Must(t, "GET", second, nil).Want(t, 404) // it ended, and takes no room
		c.Must(t, "DELETE", first, nil).Want(t, 204)
		// Whatever the client says about the length, and however it sends.
		full("whole", whole(strings.Repeat("w", 20_000)))
		long := strings.Repeat("l", 5<<20)
		a, err := c.Stream("PATCH", begin(t, c, "alice/app"), strings.NewReader(long))
		check(t, err)
		full("a stream", a)
		a, err = c.Stream("PUT", begin(t, c, "alice/app")+"?digest="+registrytest.Sum(long).String(), strings.NewReader(long))
		check(t, err)
		full("a stream that ends", a)
		a, err = c.Stream("POST", uploads+"?digest="+registrytest.Sum(long).String(), strings.NewReader(long))
		check(t, err)
		full("a stream in one", a)
		full("a mount", c.Must(t, "POST", uploads+"?from=bob/app&mount="+registrytest.Sum(strings.Repeat("b", 20_000)).String(), nil))
		// Blobs that no image names, also after a restart.
		whole(six).Want(t, 201)
		for range 2 {
			says(t, whole(six+"more").WantError(t, 403, "DENIED"), "(6.00 kB of it are uploads that no image names yet)")
			c.Must(t, "HEAD", blob(six), nil).Want(t, 200)
			h.Restart()
			h.Registry.Quotas = q
			c = h.Client()
		}
		c.Must(t, "DELETE", blob(six), nil).Want(t, 202)
		whole(six+"more").Want(t, 201)
		// What an image named counts no more when that is deleted, though its lease lasts.
		q.bytes.Store(15_000)
		image := c.MustPush(t, "alice/app", "2", registrytest.NewImage(six+"more"))
		full("beside the image", whole(six))
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+image.Digest().String(), nil).Want(t, 202)
		whole(six).Want(t, 201)
		// And a quota that is lifted is lifted at once.
		open := begin(t, c, "alice/app")
		q.bytes.Store(0)
		begin(t, c, "alice/app")
		c.Must(t, "PATCH", open, []byte(long)).Want(t, 202)
	})
}

// A top-level image is in the namespace library, though its name does not say so.
func TestQuotaOfTopLevelUploads(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		q := &quotas{namespace: "library"}
		h.Registry.Quotas = q
		c := h.Client()
		c.MustPush(t, "busybox", "1", registrytest.NewImage("small"))
		q.bytes.Store(10_000)
		six := strings.Repeat("6", 6000)
		open := begin(t, c, "busybox")
		c.Must(t, "PATCH", open, []byte(six)).Want(t, 202)
		says(t, c.Must(t, "PATCH", begin(t, c, "alpine"), []byte(six)).WantError(t, 403, "DENIED"), "the quota of library is used up")
		c.Must(t, "PUT", open+"?digest="+registrytest.Sum(six).String(), nil).Want(t, 201)
		for range 2 { // the second time after a restart
			a := c.Must(t, "POST", "/v2/alpine/blobs/uploads/?digest="+registrytest.Sum(six+"more").String(), []byte(six+"more"))
			says(t, a.WantError(t, 403, "DENIED"), "(6.00 kB of it are uploads that no image names yet)")
			h.Restart()
			h.Registry.Quotas = q
			c = h.Client()
		}
		c.Must(t, "DELETE", "/v2/busybox/blobs/"+registrytest.Sum(six).String(), nil).Want(t, 202)
		c.Must(t, "PATCH", begin(t, c, "alpine"), []byte(six)).Want(t, 202)
	})
}

// broken is a body that breaks off after its content.
type broken struct{ io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// However writes to uploads end, what is on the disk counts, and what is not does not.
func TestQuotaOfBrokenUploads(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	q := &quotas{}
	h.Registry.Quotas = q
	c := h.Client()
	c.MustPush(t, "alice/app", "1", registrytest.NewImage("small"))
	q.bytes.Store(1_000_000)
	repo, err := h.Registry.Images.Repository(t.Context(), "alice/app")
	check(t, err)
	pending := func() int64 {
		t.Helper()
		_, pending, _, err := h.Registry.QuotaUse(t.Context(), repo.Namespace, "alice")
		check(t, err)
		return pending
	}
	becomes := func(what string, want int64) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); pending() != want; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: %d bytes of uploads count, want %d", what, pending(), want)
			}
		}
	}
	most := strings.Repeat("m", 900_000)
	// What broke off counts; and what broke off and does not fit ends.
	upload := begin(t, c, "alice/app")
	c.Stream("PATCH", upload, broken{strings.NewReader(most)})
	becomes("a broken write", int64(len(most)))
	c.Stream("PATCH", upload, broken{strings.NewReader(most)})
	becomes("a broken write that does not fit", 0)
	c.Must(t, "GET", upload, nil).Want(t, 404)
	// Another write to the upload does not take what the first announced for its own,
	// and the upload's id under another name is nothing.
	upload = begin(t, c, "alice/app")
	body, send := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := c.Announce("PATCH", upload, int64(len(most)), body)
		done <- err
	}()
	io.WriteString(send, most[:100_000])
	becomes("a write that goes on", int64(len(most)))
	go func() {
		_, err := c.Do("PATCH", upload, []byte("x"))
		done <- err
	}()
	becomes("with a write that waits", int64(len(most))+1)
	c.Must(t, "PATCH", strings.Replace(upload, "/app/", "/other/", 1), []byte("x")).Want(t, 404)
	c.Must(t, "PATCH", begin(t, c, "alice/app"), []byte(most)).WantError(t, 403, "DENIED")
	becomes("beside others", int64(len(most))+1)
	// One that is cancelled while it is written counts no more.
	c.Must(t, "DELETE", upload, nil).Want(t, 204)
	send.Write([]byte(most[100_000:]))
	send.Close()
	<-done
	<-done
	becomes("cancelled", 0)
}

func TestQuotaOfImages(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	q := &quotas{}
	h.Registry.Quotas = q
	q.images.Store(2)
	c := h.Client()
	first := c.MustPush(t, "alice/app", "1", registrytest.NewImage("1"))
	c.MustPush(t, "alice/app", "2", registrytest.NewImage("2"))
	err := c.Push("alice/app", "3", registrytest.NewImage("3"))
	if registrytest.Refused(err) != 403 || !strings.Contains(err.Error(), "2 of 2 images") {
		t.Fatalf("a third image: %v", err)
	}
	c.Must(t, "DELETE", "/v2/alice/app/manifests/"+first.Digest().String(), nil).Want(t, 202)
	c.MustPush(t, "alice/new", "3", registrytest.NewImage("3"))
	if err := c.Push("alice/app", "4", registrytest.NewImage("4")); registrytest.Refused(err) != 403 {
		t.Fatalf("a fourth image: %v", err)
	}
	_, err = h.Registry.RestoreManifest(t.Context(), registrytest.By, "alice/app", first.Digest())
	check(t, err) // what was deleted comes back, quota or not
	c.MustPush(t, "alice/app", "1", first)
}

// Pushes at the same moment do not all find the same room.
func TestQuotaRaces(t *testing.T) {
	onEachLong(t, func(t *testing.T, h *registrytest.Hub) {
		q := &quotas{}
		h.Registry.Quotas = q
		c := h.Client()
		c.MustPush(t, "alice/app", "first", registrytest.NewImage("layer"))
		const racers, room = 24, 5
		for round := range sized(5, 100) {
			usage, err := h.Registry.Images.Repository(t.Context(), "alice/app")
			check(t, err)
			u, err := h.Registry.Images.NamespaceUsage(t.Context(), usage.Namespace, true)
			check(t, err)
			q.images.Store(u.Manifests + room)
			var work sync.WaitGroup
			var made, refused atomic.Int64
			for k := range racers {
				work.Go(func() {
					image := registrytest.With(func(m *v1.Manifest) { m.Annotations = map[string]string{"n": fmt.Sprint(round, k)} }, "layer")
					switch _, err := c.PutManifest("alice/app", fmt.Sprintf("r%d-%d", round, k), image); {
					case err == nil:
						made.Add(1)
					case registrytest.Refused(err) == 403:
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			work.Wait()
			// Never more than there is room for; one refused for room that
			// another gave up a moment later is fair.
			if made.Load() > room || made.Load()+refused.Load() != racers || made.Load() == 0 {
				t.Fatalf("round %d: %d made, %d refused", round, made.Load(), refused.Load())
			}
		}
	})
}

// Whatever happens in a namespace, what is kept in memory comes to what the
// projection adds up.
func TestQuotaKnowsWhatIsHeld(t *testing.T) {
	onEachLong(t, func(t *testing.T, h *registrytest.Hub) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 0))
		q := &quotas{}
		h.Registry.Quotas = q
		c := h.Client()
		var images []*registrytest.Image
		for k := range 6 {
			images = append(images, registrytest.NewImage(fmt.Sprint("layer ", k), fmt.Sprint("shared ", k%2), "shared by all"))
		}
		images = append(images, registrytest.NewIndex(images[0], images[1]))
		first := c.MustPush(t, "alice/app", "first", images[5])
		for range sized(60, 2000) {
			name := []string{"alice/app", "alice/other"}[rng.IntN(2)]
			image := images[rng.IntN(len(images))]
			q.bytes.Store(1 << 40)
			switch ctx := t.Context(); rng.IntN(8) {
			case 0:
				c.Must(t, "DELETE", "/v2/"+name+"/manifests/"+image.Digest().String(), nil)
			case 1:
				_, _ = h.Registry.RestoreManifest(ctx, registrytest.By, name, image.Digest()) // if it was deleted
			case 2:
				c.Must(t, "DELETE", "/v2/"+name+"/manifests/latest", nil)
			case 3:
				_, _ = h.Registry.RestoreTag(ctx, registrytest.By, name, "latest")
			case 4:
				if name == "alice/other" {
					if _, err := h.Registry.DeleteRepository(ctx, registrytest.By, name); err == nil && rng.IntN(2) == 0 {
						_, err = h.Registry.RestoreRepository(ctx, registrytest.By, name, "")
						check(t, err)
					}
				}
			default:
				if image.Blobs == nil { // an index needs its images
					c.MustPush(t, name, "", images[0])
					c.MustPush(t, name, "", images[1])
				}
				c.MustPush(t, name, "latest", image)
			}
			repo, err := h.Registry.Images.Repository(t.Context(), "alice/app")
			check(t, err)
			u, err := h.Registry.Images.NamespaceUsage(t.Context(), repo.Namespace, true)
			check(t, err)
			if u.Bytes == 0 {
				c.MustPush(t, "alice/app", "first", first)
				continue
			}
			q.bytes.Store(u.Bytes)
			c.Must(t, "POST", "/v2/alice/app/blobs/uploads/", nil).WantError(t, 403, "DENIED")
			q.bytes.Store(u.Bytes + 1)
			begin(t, c, "alice/app")
		}
	})
}
