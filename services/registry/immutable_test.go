package registry_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/services/registry/registrytest"
)

// once makes tags of a pattern immutable.
func once(t testing.TB, h *registrytest.Hub, name string, patterns ...string) {
	t.Helper()
	h.SetPolicy(name, events.RepositoryPolicy{ImmutableTags: patterns})
}

// says ends a test unless the refusal's text has those words.
func says(t testing.TB, a *registrytest.Answer, words ...string) {
	t.Helper()
	var body struct{ Errors []struct{ Message string } }
	check(t, json.Unmarshal(a.Body, &body))
	for _, w := range words {
		if len(body.Errors) == 0 || !strings.Contains(body.Errors[0].Message, w) {
			t.Fatalf("%s: %s does not say %q", a.Request, a.Body, w)
		}
	}
}

func TestImmutableTag(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		first, second := registrytest.NewImage("first"), registrytest.NewImage("second")
		c.MustPush(t, "alice/app", "latest", first)
		c.MustPush(t, "alice/app", "", second)
		once(t, h, "alice/app", `\d+\.\d+`)
		c.MustPush(t, "alice/app", "1.0", first)
		at := h.LastSeq()
		c.MustPush(t, "alice/app", "1.0", first) // the same again
		put := func(ref string, i *registrytest.Image) *registrytest.Answer {
			t.Helper()
			return c.Must(t, "PUT", "/v2/alice/app/manifests/"+ref, i.Manifest, "Content-Type", i.MediaType)
		}
		says(t, put("1.0", second).WantError(t, 403, "DENIED"), "tag 1.0 of alice/app is immutable and names "+first.Digest().String(), "push another tag")
		put(second.Digest().String()+"?tag=latest&tag=1.0", second).WantError(t, 403, "DENIED")
		for _, ref := range []string{"1.0", first.Digest().String()} {
			says(t, c.Must(t, "DELETE", "/v2/alice/app/manifests/"+ref, nil).WantError(t, 403, "DENIED"), "tag 1.0 of alice/app is immutable",
				"to delete it, change the repository's immutable tags first: hubledger repos policy alice/app")
		}
		if last := h.LastSeq(); last != at {
			t.Errorf("refusals made %d events", last-at)
		}
		if d, err := c.Pull("alice/app", "latest"); err != nil || d != first.Digest() {
			t.Errorf("latest is %s, %v: it was moved with a refused push", d, err)
		}
		// The pattern has to match the whole tag.
		for _, tag := range []string{"1.0-rc1", "v1.0", "latest"} {
			c.MustPush(t, "alice/app", tag, first)
			c.MustPush(t, "alice/app", tag, second)
		}
		// The repository as a whole can go and come back.
		_, err := h.Registry.DeleteRepository(t.Context(), registrytest.By, "alice/app")
		check(t, err)
		_, err = h.Registry.RestoreRepository(t.Context(), registrytest.By, "alice/app", "")
		check(t, err)
		put("1.0", second).WantError(t, 403, "DENIED")
		h.Rebuilt()
	})
}

// What was gone before its tag became immutable can be pushed anew, once.
func TestImmutableTagThatWasDeleted(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	first, second := registrytest.NewImage("first"), registrytest.NewImage("second")
	for _, tag := range []string{"1", "2", "3"} {
		c.MustPush(t, "alice/app", tag, first)
	}
	c.Must(t, "DELETE", "/v2/alice/app/manifests/1", nil).Want(t, 202)
	c.Must(t, "DELETE", "/v2/alice/app/manifests/"+first.Digest().String(), nil).Want(t, 202)
	once(t, h, "alice/app", ".*")
	for _, tag := range []string{"1", "2"} { // one deleted itself, one with its manifest
		c.MustPush(t, "alice/app", tag, second)
	}
	if err := c.Push("alice/app", "2", first); registrytest.Refused(err) != 403 {
		t.Errorf("pushed over an immutable tag: %v", err)
	}
	c.MustPush(t, "alice/app", "3", first)
	_, err := c.Pull("alice/app", "3")
	check(t, err)
}

// Tags that signatures are found by move with each signature, whatever the pattern.
func TestSignatureTagsAreNeverImmutable(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	image := c.MustPush(t, "alice/app", "1.0", registrytest.NewImage("layer"))
	once(t, h, "alice/app", ".*")
	hex := image.Digest().Encoded()
	for _, tag := range []string{"sha256-" + hex, "sha256-" + hex + ".sig", "sha256-" + hex + ".att", "sha256-" + hex + ".sbom", "sha512-" + hex + ".sig"} {
		c.MustPush(t, "alice/app", tag, registrytest.NewImage("one signature"))
		c.MustPush(t, "alice/app", tag, registrytest.NewImage("two signatures"))
		a := c.Must(t, "DELETE", "/v2/alice/app/manifests/"+tag, nil)
		if strings.HasPrefix(tag, "sha256-") { // of what 1.0 names, and kept with it
			says(t, a.WantError(t, 403, "DENIED"), "tag 1.0 of alice/app is immutable", "to which tag "+tag+" belongs")
			once(t, h, "alice/app")
			a = c.Must(t, "DELETE", "/v2/alice/app/manifests/"+tag, nil)
			once(t, h, "alice/app", ".*")
		}
		a.Want(t, 202)
	}
	for _, tag := range []string{"sha256-" + hex[1:], "sha256-" + hex + ".sigx", "sha384-" + hex} {
		c.MustPush(t, "alice/app", tag, registrytest.NewImage("one"))
		if err := c.Push("alice/app", tag, registrytest.NewImage("two")); registrytest.Refused(err) != 403 {
			t.Errorf("%s was moved: %v", tag, err)
		}
	}
}

// Of many pushes to one immutable tag at the same moment exactly one gets 201,
// and the tag is that one's from then on.
func TestRacesForAnImmutableTag(t *testing.T) {
	onEachLong(t, func(t *testing.T, h *registrytest.Hub) {
		const racers = 32
		c := h.Client()
		var images []*registrytest.Image
		for k := range racers {
			image := registrytest.With(func(m *v1.Manifest) { m.Annotations = map[string]string{"n": fmt.Sprint(k)} }, "layer")
			images = append(images, c.MustPush(t, "alice/app", "", image))
		}
		once(t, h, "alice/app", `v\d+`)
		for round := range sized(20, 500) {
			tag := fmt.Sprintf("v%d", round)
			if round%3 == 2 { // one that was deleted before it became immutable
				once(t, h, "alice/app")
				c.MustPush(t, "alice/app", tag, images[0])
				c.Must(t, "DELETE", "/v2/alice/app/manifests/"+tag, nil).Want(t, 202)
				once(t, h, "alice/app", `v\d+`)
			}
			statuses := make([]int, racers)
			errs := make([]error, racers)
			var work sync.WaitGroup
			for k := range racers {
				work.Go(func() {
					a, err := c.Do("PUT", "/v2/alice/app/manifests/"+tag, images[k].Manifest, "Content-Type", images[k].MediaType)
					if errs[k] = err; err == nil {
						statuses[k] = a.Status
					}
				})
			}
			work.Wait()
			won := -1
			for k, status := range statuses {
				check(t, errs[k])
				switch {
				case status == 201 && won < 0:
					won = k
				case status != 403:
					t.Fatalf("round %d: racer %d got %d, %d had won: %v", round, k, status, won, statuses)
				}
			}
			if won < 0 {
				t.Fatalf("round %d: nobody won: %v", round, statuses)
			}
			if d, err := c.Pull("alice/app", tag); err != nil || d != images[won].Digest() {
				t.Fatalf("round %d: the tag is %s, not the winner's: %v", round, d, err)
			}
		}
	})
}

// Many pushes of one image to one immutable tag all succeed, by one event.
func TestSameImageRaces(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	image := c.MustPush(t, "alice/app", "", registrytest.NewImage("layer"))
	once(t, h, "alice/app", ".*")
	before := h.LastSeq()
	var work sync.WaitGroup
	errs := make([]error, 32)
	for k := range errs {
		work.Go(func() { _, errs[k] = c.PutManifest("alice/app", "1.0", image) })
	}
	work.Wait()
	for _, err := range errs {
		check(t, err)
	}
	if n := h.LastSeq() - before; n != 1 {
		t.Errorf("%d events", n)
	}
}
