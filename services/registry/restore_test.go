package registry_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
	"hubledger/services/registry"
	"hubledger/services/registry/registrytest"
)

// pulls says whether a reference can be pulled whole, and fails when it is there in part.
func pulls(t testing.TB, c *registrytest.Client, repo, ref string) bool {
	t.Helper()
	d, err := c.Pull(repo, ref)
	if err == nil {
		return true
	}
	if registrytest.Refused(err) != 404 || d != "" {
		t.Fatalf("%s:%s is broken: %v", repo, ref, err)
	}
	return false
}

func wantPulls(t testing.TB, c *registrytest.Client, repo string, want bool, refs ...string) {
	t.Helper()
	for _, ref := range refs {
		if pulls(t, c, repo, ref) != want {
			t.Fatalf("%s:%s can be pulled: %v, want %v", repo, ref, !want, want)
		}
	}
}

func idOf(t testing.TB, h *registrytest.Hub, name string) repository.ID {
	t.Helper()
	repo, err := h.Registry.Images.Repository(t.Context(), name)
	check(t, err)
	return repository.ID{Namespace: repo.Namespace, Repository: repo.ID}
}

func TestRestoreTag(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c, ctx := h.Client(), t.Context()
		img := c.MustPush(t, "alice/app", "1", registrytest.NewImage("layer"))
		if _, err := h.Registry.RestoreTag(ctx, registrytest.By, "alice/app", "1"); !errors.Is(err, registry.ErrNothingDeleted) {
			t.Errorf("restored a live tag: %v", err)
		}
		if _, err := h.Registry.RestoreTag(ctx, registrytest.By, "alice/app", "never"); !errors.Is(err, registry.ErrNothingDeleted) {
			t.Errorf("restored a tag that never was: %v", err)
		}
		c.Must(t, "DELETE", "/v2/alice/app/manifests/1", nil).Want(t, 202)
		wantPulls(t, c, "alice/app", false, "1")
		before, err := h.Registry.Images.Repository(ctx, "alice/app")
		check(t, err)
		// Restored twice it is as old as it was: keep-last counts by the push.
		check(t, second(h.Registry.RestoreTag(ctx, registrytest.By, "alice/app", "1")))
		c.Must(t, "DELETE", "/v2/alice/app/manifests/1", nil).Want(t, 202)
		seq, err := h.Registry.RestoreTag(ctx, registrytest.By, "alice/app", "1")
		check(t, err)
		tag, err := h.Registry.Images.TagDetail(ctx, before.ID, "1")
		check(t, err)
		content, err := h.Registry.Images.Content(ctx, before.ID)
		check(t, err)
		for _, e := range h.Events() {
			if e.Type() == "image.pushed.v1" && (!tag.Pushed.Equal(e.Time()) || !content.Tags[0].Pushed.Equal(e.Time())) {
				t.Errorf("pushed at %s, and after it was restored at %s and %s", e.Time(), tag.Pushed, content.Tags[0].Pushed)
			}
		}
		if seq != h.LastSeq() {
			t.Errorf("restored by event %d of %d", seq, h.LastSeq())
		}
		wantPulls(t, c, "alice/app", true, "1")
		// With its manifest gone the tag cannot come alone.
		c.Must(t, "DELETE", "/v2/alice/app/manifests/1", nil).Want(t, 202)
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+img.Digest().String(), nil).Want(t, 202)
		if _, err := h.Registry.RestoreTag(ctx, registrytest.By, "alice/app", "1"); err == nil {
			t.Error("restored a tag without its manifest")
		}
		check(t, second(h.Registry.RestoreManifest(ctx, registrytest.By, "alice/app", img.Digest())))
		wantPulls(t, c, "alice/app", false, "1")
		check(t, second(h.Registry.RestoreTag(ctx, registrytest.By, "alice/app", "1")))
		wantPulls(t, c, "alice/app", true, "1")
		// A push in between is not undone.
		c.Must(t, "DELETE", "/v2/alice/app/manifests/1", nil).Want(t, 202)
		other := c.MustPush(t, "alice/app", "1", registrytest.NewImage("other"))
		if _, err := h.Registry.RestoreTag(ctx, registrytest.By, "alice/app", "1"); !errors.Is(err, registry.ErrNothingDeleted) {
			t.Errorf("restored over a push: %v", err)
		}
		if d, err := c.Pull("alice/app", "1"); err != nil || d != other.Digest() {
			t.Errorf("1 is %s, %v", d, err)
		}
		h.Rebuilt()
	})
}

func second[T any](_ T, err error) error { return err }

// What a manifest's deletion hid comes back by its undoing, not by a push.
func TestRestoreManifest(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c, ctx := h.Client(), t.Context()
		img := c.MustPush(t, "alice/app", "1", registrytest.NewImage("layer"))
		c.MustPush(t, "alice/app", "latest", img)
		d := img.Digest().String()
		restore := func() error {
			return second(h.Registry.RestoreManifest(ctx, registrytest.By, "alice/app", img.Digest()))
		}
		if err := restore(); !errors.Is(err, registry.ErrNothingDeleted) {
			t.Errorf("restored a live manifest: %v", err)
		}
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+d, nil).Want(t, 202)
		wantPulls(t, c, "alice/app", false, d, "1", "latest")
		check(t, restore())
		wantPulls(t, c, "alice/app", true, d, "1", "latest")
		if err := restore(); !errors.Is(err, registry.ErrNothingDeleted) {
			t.Errorf("restored twice: %v", err)
		}

		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+d, nil).Want(t, 202)
		c.MustPush(t, "alice/app", "2", img)
		wantPulls(t, c, "alice/app", true, d, "2")
		wantPulls(t, c, "alice/app", false, "1", "latest")
		if err := restore(); !errors.Is(err, registry.ErrNothingDeleted) {
			t.Errorf("restored what a push had brought back: %v", err)
		}
		// Deleted twice at the same moment: one undoing is enough.
		id := idOf(t, h, "alice/app")
		for range 2 {
			seq, err := image.DeleteManifest(ctx, h.Log, registrytest.By, h.Registry.Images, id, events.RepositoryPolicy{}, img.Digest())
			check(t, err)
			check(t, h.Runner.Wait(ctx, seq))
		}
		wantPulls(t, c, "alice/app", false, d, "2")
		check(t, restore())
		wantPulls(t, c, "alice/app", true, d, "2")
		h.Rebuilt()
	})
}

// A foreign layer that was never there does not keep an image from coming back.
func TestRestoreWithForeignLayer(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	img := registrytest.With(func(m *v1.Manifest) { m.Layers[1].URLs = []string{"https://example.com/"} }, "ours", "theirs")
	img.Blobs = img.Blobs[:2]
	c.MustPush(t, "alice/app", "1", img)
	c.Must(t, "DELETE", "/v2/alice/app/manifests/"+img.Digest().String(), nil).Want(t, 202)
	check(t, second(h.Registry.RestoreManifest(t.Context(), registrytest.By, "alice/app", img.Digest())))
	c.Must(t, "GET", "/v2/alice/app/manifests/1", nil).Want(t, 200)
	check(t, second(h.Registry.DeleteRepository(t.Context(), registrytest.By, "alice/app")))
	check(t, second(h.Registry.RestoreRepository(t.Context(), registrytest.By, "alice/app", "")))
	c.Must(t, "GET", "/v2/alice/app/manifests/1", nil).Want(t, 200)
}

func TestRestoreIndex(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c, ctx := h.Client(), t.Context()
	child := c.MustPush(t, "alice/app", "", registrytest.NewImage("child"))
	index := c.MustPush(t, "alice/app", "all", registrytest.NewIndex(child))
	c.Must(t, "DELETE", "/v2/alice/app/manifests/"+index.Digest().String(), nil).Want(t, 202)
	check(t, second(h.Registry.RestoreManifest(ctx, registrytest.By, "alice/app", index.Digest())))
	wantPulls(t, c, "alice/app", true, "all", index.Digest().String(), child.Digest().String())
}

func TestRestoreRepository(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c, ctx := h.Client(), t.Context()
		restore := func(id string) error {
			return second(h.Registry.RestoreRepository(ctx, registrytest.By, "alice/app", id))
		}
		remove := func() {
			t.Helper()
			check(t, second(h.Registry.DeleteRepository(ctx, registrytest.By, "alice/app")))
		}
		if err := restore(""); !errors.Is(err, registry.ErrNothingDeleted) {
			t.Errorf("restored what never was: %v", err)
		}
		img := c.MustPush(t, "alice/app", "1", registrytest.NewImage("first"))
		gone := c.MustPush(t, "alice/app", "gone", registrytest.NewImage("deleted before"))
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+gone.Digest().String(), nil).Want(t, 202)
		first := idOf(t, h, "alice/app")
		if err := restore(""); !errors.Is(err, registry.ErrNothingDeleted) {
			t.Errorf("restored what lives: %v", err)
		}
		remove()
		wantPulls(t, c, "alice/app", false, "1", img.Digest().String())
		c.Must(t, "GET", "/v2/alice/app/tags/list", nil).WantError(t, 404, "NAME_UNKNOWN")
		c.Must(t, "GET", "/v2/alice/app/blobs/"+registrytest.Sum("first").String(), nil).Want(t, 404)
		if _, err := h.Registry.DeleteRepository(ctx, registrytest.By, "alice/app"); err == nil {
			t.Error("deleted twice")
		}
		check(t, restore(""))
		wantPulls(t, c, "alice/app", true, "1", img.Digest().String())
		wantPulls(t, c, "alice/app", false, "gone")
		// A name that was taken in the meantime.
		remove()
		other := c.MustPush(t, "alice/app", "1", registrytest.NewImage("second"))
		wantPulls(t, c, "alice/app", false, img.Digest().String())
		if err := restore(""); !errors.Is(err, repository.ErrTaken) {
			t.Errorf("restored over another: %v", err)
		}
		// Two deleted of one name: the last by itself, the first by its id.
		remove()
		check(t, restore(first.Repository))
		wantPulls(t, c, "alice/app", true, img.Digest().String())
		wantPulls(t, c, "alice/app", false, other.Digest().String())
		remove()
		list, err := h.Registry.Images.DeletedRepositories(ctx, "", time.Now().Add(-time.Hour))
		check(t, err)
		if len(list) != 2 || list[0].ID != first.Repository || list[0].Name != "alice/app" {
			t.Errorf("deleted are %+v", list)
		}
		check(t, restore(list[1].ID))
		wantPulls(t, c, "alice/app", true, other.Digest().String())
		h.Rebuilt()
	})
}

func TestRestoreTooLate(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{UndeleteWindow: time.Nanosecond})
	c, ctx := h.Client(), t.Context()
	img := c.MustPush(t, "alice/app", "1", registrytest.NewImage("layer"))
	c.MustPush(t, "bob/app", "1", img)
	c.MustPush(t, "alice/app", "other", registrytest.NewImage("other"))
	c.Must(t, "DELETE", "/v2/alice/app/manifests/"+img.Digest().String(), nil).Want(t, 202)
	c.Must(t, "DELETE", "/v2/alice/app/manifests/other", nil).Want(t, 202)
	check(t, second(h.Registry.DeleteRepository(ctx, registrytest.By, "bob/app")))
	before := h.LastSeq()
	if _, err := h.Registry.RestoreTag(ctx, registrytest.By, "alice/app", "other"); !errors.Is(err, registry.ErrTooLate) {
		t.Errorf("restored after the window: %v", err)
	}
	if _, err := h.Registry.RestoreRepository(ctx, registrytest.By, "bob/app", ""); !errors.Is(err, registry.ErrTooLate) {
		t.Errorf("restored after the window: %v", err)
	}
	if _, err := h.Registry.RestoreManifest(ctx, registrytest.By, "alice/app", img.Digest()); !errors.Is(err, registry.ErrTooLate) {
		t.Errorf("restored after the window: %v", err)
	}
	if h.LastSeq() != before {
		t.Error("what came too late is in the log")
	}
}

// Content that garbage collection took does not come back, and nothing
// pretends that it does; a push of it repairs that.
func TestRestoreOfSweptContent(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c, ctx := h.Client(), t.Context()
		img := c.MustPush(t, "alice/app", "1", registrytest.NewImage("layer"))
		c.MustPush(t, "bob/app", "1", registrytest.NewImage("bob's"))
		c.MustPush(t, "bob/app", "keep", registrytest.NewImage("keep"))
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+img.Digest().String(), nil).Want(t, 202)
		check(t, second(h.Registry.DeleteRepository(ctx, registrytest.By, "bob/app")))
		h.EndLeases("alice/app", "bob/app")
		if swept := collect(t, h, 0); swept != 6 {
			t.Fatalf("swept %d", swept)
		}
		before := h.LastSeq()
		if _, err := h.Registry.RestoreManifest(ctx, registrytest.By, "alice/app", img.Digest()); !errors.Is(err, registry.ErrSwept) {
			t.Errorf("manifest: %v", err)
		}
		if _, err := h.Registry.RestoreRepository(ctx, registrytest.By, "bob/app", ""); !errors.Is(err, registry.ErrSwept) {
			t.Errorf("repository: %v", err)
		}
		if h.LastSeq() != before {
			t.Error("what cannot come back is in the log")
		}
		c.MustPush(t, "alice/app", "2", img)
		wantPulls(t, c, "alice/app", true, "2", img.Digest().String())
		wantPulls(t, c, "alice/app", false, "1")
	})
}

// A tag that an event deleted at the same time as its manifest.
func TestDeletionsAreByThoseWhoAsk(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	c.MustPush(t, "alice/app", "1", registrytest.NewImage("layer"))
	by := command.By{Source: "/cli", Actor: "operator"}
	seq, err := h.Registry.DeleteRepository(t.Context(), by, "alice/app")
	check(t, err)
	e, err := h.Log.Get(t.Context(), seq)
	check(t, err)
	p, err := events.Decode(e)
	check(t, err)
	if d, ok := p.(events.RepositoryDeleted); !ok || d.Name != "alice/app" || e.Actor() != "operator" || e.Source() != "/cli" {
		t.Errorf("%s by %s of %s", e.Type(), e.Actor(), e.Source())
	}
}

// digestsOf are those of contents, sorted.
func digestsOf(contents ...string) []digest.Digest {
	var ds []digest.Digest
	for _, content := range contents {
		ds = append(ds, registrytest.Sum(content))
	}
	slices.Sort(ds)
	return ds
}

// What garbage collection has taken is no longer listed as restorable.
func TestSweptRepositoryIsNotListed(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c, ctx := h.Client(), t.Context()
		c.MustPush(t, "alice/app", "1", registrytest.NewImage("layer"))
		c.MustPush(t, "alice/copy", "1", registrytest.NewImage("layer", "more"))
		listed := func() (names []string) {
			list, err := h.Registry.Images.DeletedPage(ctx, "", time.UnixMicro(1), images.DeletedRepository{}, 10)
			check(t, err)
			for _, d := range list {
				names = append(names, d.Name)
			}
			return names
		}
		check(t, second(h.Registry.DeleteRepository(ctx, registrytest.By, "alice/copy")))
		if got := listed(); !slices.Equal(got, []string{"alice/copy"}) {
			t.Fatalf("deleted %v", got)
		}
		h.EndLeases("alice/app", "alice/copy")
		_, err := h.Collector().Collect(ctx, 0, func(int) {})
		check(t, err)
		if got := listed(); len(got) > 0 {
			t.Errorf("%v cannot be restored, and is listed", got)
		}
		// What a collection left is whole.
		check(t, second(h.Registry.DeleteRepository(ctx, registrytest.By, "alice/app")))
		if got := listed(); !slices.Equal(got, []string{"alice/app"}) {
			t.Errorf("deleted %v", got)
		}
	})
}
