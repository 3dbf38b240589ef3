package registry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/image"
	"hubledger/services/registry"
	"hubledger/services/registry/registrytest"
)

func TestRollBack(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c, ctx := h.Client(), t.Context()
		const repo = "alice/app"
		first := c.MustPush(t, repo, "latest", registrytest.NewImage("first"))
		at := h.LastSeq()
		newer := c.MustPush(t, repo, "latest", registrytest.NewImage("second"))
		other := c.MustPush(t, repo, "other", registrytest.NewImage("other"))
		back := func(to, from digest.Digest) (uint64, error) {
			return h.Registry.RollBack(ctx, registrytest.By, repo, "latest", to, from)
		}
		names := func(want *registrytest.Image) {
			t.Helper()
			if d, err := c.Pull(repo, "latest"); err != nil || d != want.Digest() {
				t.Fatalf("latest is %s, %v, wanted %s", d, err, want.Digest())
			}
		}
		if _, err := back(other.Digest(), ""); !errors.Is(err, image.ErrNeverNamed) {
			t.Errorf("rolled back to what it never named: %v", err)
		}
		seq, err := back(first.Digest(), newer.Digest())
		check(t, err)
		names(first)
		last := h.Events()[seq-1]
		p, err := events.Decode(&last)
		check(t, err)
		tagged, ok := p.(events.ImageTagged)
		if !ok || tagged.Tag != "latest" || tagged.Digest != first.Digest() || tagged.RolledBack == nil || tagged.RolledBack.From != newer.Digest() || tagged.RolledBack.Event != at {
			t.Errorf("recorded %+v", p)
		}
		// The same again is the same.
		if again, err := back(first.Digest(), newer.Digest()); err != nil || again != seq || h.LastSeq() != seq {
			t.Errorf("again is event %d, %v", again, err)
		}
		// Somebody pushes meanwhile.
		third := c.MustPush(t, repo, "latest", registrytest.NewImage("third"))
		var moved *image.MovedError
		if _, err := back(newer.Digest(), first.Digest()); !errors.As(err, &moved) || moved.Digest != third.Digest() || moved.Seq != h.LastSeq() || moved.By == "" {
			t.Errorf("rolled back over a push: %v", err)
		}
		names(third)
		// A deleted tag can be rolled back, too; what it is rolled back from is nothing.
		c.Must(t, "DELETE", "/v2/alice/app/manifests/latest", nil).Want(t, 202)
		if _, err := back(first.Digest(), third.Digest()); !errors.As(err, &moved) || moved.Digest != "" {
			t.Errorf("rolled back over a deletion: %v", err)
		}
		check(t, second(back(first.Digest(), "")))
		names(first)
		// An immutable tag is not moved.
		once(t, h, repo, "latest")
		if _, err := back(newer.Digest(), ""); !errors.Is(err, image.ErrImmutable) {
			t.Errorf("moved an immutable tag: %v", err)
		}
		check(t, second(back(first.Digest(), "")))
		h.Rebuilt()
		names(first)
	})
}

// What is deleted or swept does not come back by a rollback, and an index only as a whole;
// the error says what to do.
func TestRollBackToDeleted(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c, ctx := h.Client(), t.Context()
	const repo = "alice/app"
	back := func(to *registrytest.Image) error {
		return second(h.Registry.RollBack(ctx, registrytest.By, repo, "latest", to.Digest(), ""))
	}
	remove := func(i *registrytest.Image) {
		t.Helper()
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+i.Digest().String(), nil).Want(t, 202)
	}
	amd, arm := c.MustPush(t, repo, "", registrytest.NewImage("amd")), c.MustPush(t, repo, "", registrytest.NewImage("arm"))
	index := c.MustPush(t, repo, "latest", registrytest.NewIndex(amd, arm))
	now := c.MustPush(t, repo, "latest", registrytest.NewImage("now"))
	at := h.LastSeq()

	remove(arm)
	var incomplete *image.IncompleteError
	if err := back(index); !errors.As(err, &incomplete) || incomplete.Child != arm.Digest() || !strings.Contains(err.Error(), "restore that first") {
		t.Errorf("rolled back to an index without one of its images: %v", err)
	}
	remove(index)
	if err := back(index); !errors.Is(err, image.ErrManifestDeleted) || !strings.Contains(err.Error(), index.Digest().String()) {
		t.Errorf("rolled back to a deleted index: %v", err)
	}
	if d, err := c.Pull(repo, "latest"); err != nil || d != now.Digest() || h.LastSeq() != at+2 {
		t.Errorf("latest is %s, %v, at event %d", d, err, h.LastSeq())
	}
	for _, i := range []*registrytest.Image{arm, index} {
		check(t, second(h.Registry.RestoreManifest(ctx, registrytest.By, repo, i.Digest())))
	}
	check(t, back(index))
	if d, err := c.Pull(repo, "latest"); err != nil || d != index.Digest() {
		t.Errorf("latest is %s, %v", d, err)
	}

	remove(now)
	h.Registry.UndeleteWindow = 0
	if err := back(now); !errors.Is(err, registry.ErrTooLate) {
		t.Errorf("rolled back to what cannot be restored any more: %v", err)
	}
	h.EndLeases(repo)
	if swept := collect(t, h, 0); swept == 0 {
		t.Fatal("nothing was swept")
	}
	if err := back(now); !errors.Is(err, registry.ErrSwept) || !strings.Contains(err.Error(), "push it again") {
		t.Errorf("rolled back to what was swept: %v", err)
	}
	// Another push of the same content makes it possible again.
	c.MustPush(t, repo, "", now)
	check(t, back(now))
	if d, err := c.Pull(repo, "latest"); err != nil || d != now.Digest() {
		t.Errorf("latest is %s, %v", d, err)
	}
}

// Of a rollback and a push at the same moment one is refused when the push is first, and
// nothing is lost.
func TestRollBackRaces(t *testing.T) {
	t.Parallel()
	var c *registrytest.Client
	var pushed *registrytest.Image
	h, before := beforeTagging(t, registrytest.Config{})
	c = h.Client()
	const repo = "alice/app"
	first := c.MustPush(t, repo, "latest", registrytest.NewImage("first"))
	newer := c.MustPush(t, repo, "latest", registrytest.NewImage("second"))
	before(func() { pushed = c.MustPush(t, repo, "latest", registrytest.NewImage("third")) })
	var moved *image.MovedError
	if _, err := h.Registry.RollBack(t.Context(), registrytest.By, repo, "latest", first.Digest(), newer.Digest()); !errors.As(err, &moved) || moved.Digest != pushed.Digest() {
		t.Errorf("rolled back over a push at the same moment: %v", err)
	}
	if d, err := c.Pull(repo, "latest"); err != nil || d != pushed.Digest() {
		t.Errorf("latest is %s, %v", d, err)
	}
	// Without a word on what the tag is rolled back from, the rollback comes after the push.
	before(func() { c.MustPush(t, repo, "latest", newer) })
	if _, err := h.Registry.RollBack(t.Context(), registrytest.By, repo, "latest", first.Digest(), ""); err != nil {
		t.Errorf("rolled back: %v", err)
	}
	if d, err := c.Pull(repo, "latest"); err != nil || d != first.Digest() {
		t.Errorf("latest is %s, %v", d, err)
	}
}
