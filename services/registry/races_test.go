package registry_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"hubledger/events"
	"hubledger/services/registry/registrytest"
)

// together runs n functions at the same moment and returns their errors.
func together(n int, run func(k int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var work sync.WaitGroup
	for k := range n {
		work.Go(func() {
			<-start
			errs[k] = run(k)
		})
	}
	close(start)
	work.Wait()
	return errs
}

// Two first pushes of one new name make one repository with both images.
func TestFirstPushesOfOneName(t *testing.T) {
	onEachLong(t, func(t *testing.T, h *registrytest.Hub) {
		rounds, clients := sized(10, 200), []*registrytest.Client{h.Client(), h.Client(), h.Client()}
		for round := range rounds {
			name := fmt.Sprintf("ns%d/app", round)
			images := make([]*registrytest.Image, len(clients))
			for k := range clients {
				images[k] = registrytest.NewImage(fmt.Sprintf("%d of %d", k, round))
				for _, content := range images[k].Blobs {
					check(t, clients[k].PushBlob(name, content))
				}
			}
			check(t, errors.Join(together(len(clients), func(k int) error {
				_, err := clients[k].PutManifest(name, fmt.Sprint("t", k), images[k])
				return err
			})...))
			for k, i := range images {
				if d, err := clients[0].Pull(name, fmt.Sprint("t", k)); err != nil || d != i.Digest() {
					t.Fatalf("%s:t%d is %s, %v", name, k, d, err)
				}
			}
		}
		count := map[string]int{}
		for _, e := range h.Events() {
			count[e.Type()]++
		}
		if count["namespace.created.v1"] != rounds || count["repository.created.v1"] != rounds || count["image.pushed.v1"] != rounds*len(clients) {
			t.Errorf("%v", count)
		}
		h.Rebuilt()
	})
}

// A push and a manifest's deletion: whichever stands later in the log holds.
func TestPushRacesManifestDelete(t *testing.T) {
	onEachLong(t, func(t *testing.T, h *registrytest.Hub) {
		a, b := h.Client(), h.Client()
		img := registrytest.NewImage("layer")
		d := img.Digest().String()
		outcomes := map[bool]int{}
		for range sized(40, 1000) {
			a.MustPush(t, "alice/app", "1", img)
			check(t, errors.Join(together(2, func(k int) error {
				if k == 0 {
					_, err := a.PutManifest("alice/app", "1", img)
					return err
				}
				r, err := b.Do("DELETE", "/v2/alice/app/manifests/"+d, nil)
				if err != nil {
					return err
				}
				return r.Is(202)
			})...))
			last, err := h.Log.Get(t.Context(), h.LastSeq())
			check(t, err)
			lives := last.Type() != events.ManifestDeleted{}.EventType()
			outcomes[lives]++
			wantPulls(t, b, "alice/app", lives, "1", d)
		}
		t.Logf("the image lived in %d rounds of %v", outcomes[true], outcomes)
		h.Rebuilt()
	})
}

// A push and the deletion of its repository: 201 and in the log before the
// deletion, or of a new repository; or 404 and never to be seen.
func TestPushRacesRepositoryDelete(t *testing.T) {
	onEachLong(t, func(t *testing.T, h *registrytest.Hub) {
		a, b := h.Client(), h.Client()
		outcomes := map[string]int{}
		for round := range sized(40, 1000) {
			img := registrytest.NewImage(fmt.Sprint("layer ", round))
			a.MustPush(t, "alice/app", "base", registrytest.NewImage("base"))
			for _, content := range img.Blobs {
				check(t, a.PushBlob("alice/app", content))
			}
			old := idOf(t, h, "alice/app")
			errs := together(2, func(k int) error {
				if k == 0 {
					_, err := a.PutManifest("alice/app", "1", img)
					return err
				}
				_, err := h.Registry.DeleteRepository(t.Context(), registrytest.By, "alice/app")
				return err
			})
			check(t, errs[1])
			lives := pulls(t, b, "alice/app", "1")
			switch status := registrytest.Refused(errs[0]); {
			case errs[0] == nil:
				repo, err := h.Registry.Images.Repository(t.Context(), "alice/app")
				switch {
				case lives && err == nil && repo.ID == old.Repository:
					t.Fatal("the deletion had no effect")
				case lives && err == nil:
					outcomes["201, in a new repository"]++
				case !lives:
					outcomes["201, then deleted"]++
				}
			case status == 404 && !lives:
				outcomes["404"]++
			case status == 400 && !lives: // the deletion dropped the leases of its blobs first
				outcomes["400"]++
			default:
				t.Fatalf("answered %v, and can be pulled: %v", errs[0], lives)
			}
		}
		t.Log(outcomes)
		h.Rebuilt()
	})
}

// Many pushes of one tag: the last in the log is what everybody gets.
func TestPushesOfOneTag(t *testing.T) {
	onEachLong(t, func(t *testing.T, h *registrytest.Hub) {
		const pushers = 6
		clients := make([]*registrytest.Client, pushers)
		images := make([]*registrytest.Image, pushers)
		for k := range clients {
			clients[k], images[k] = h.Client(), registrytest.NewImage(fmt.Sprint(k))
			clients[k].MustPush(t, "alice/app", "", images[k])
		}
		for range sized(10, 200) {
			check(t, errors.Join(together(pushers, func(k int) error {
				_, err := clients[k].PutManifest("alice/app", "latest", images[k])
				return err
			})...))
			e, err := h.Log.Last(t.Context(), h.Events()[h.LastSeq()-1].Subject)
			check(t, err)
			p, err := events.Decode(e)
			check(t, err)
			want := p.(events.ImageTagged).Digest // all were pushed before by their digest
			for _, c := range clients {
				c.Must(t, "HEAD", "/v2/alice/app/manifests/latest", nil).Want(t, 200).WantHeader(t, "Docker-Content-Digest", want.String())
			}
		}
		h.Rebuilt()
	})
}

// After 201 everybody sees it, after 202 nobody does, whatever else goes on.
func TestReadYourWrites(t *testing.T) {
	onEachLong(t, func(t *testing.T, h *registrytest.Hub) {
		writers, rounds := 4, sized(25, 250) // 1,000 in all
		check(t, errors.Join(together(writers, func(k int) error {
			w, r := h.Client(), h.Client()
			for n := range rounds {
				name := fmt.Sprintf("ns%d/app%d", k%2, n%7)
				tag := fmt.Sprintf("w%d", k)
				img := registrytest.NewImage(fmt.Sprintf("%d %d", k, n), "shared by all")
				if err := w.Push(name, tag, img); err != nil {
					return fmt.Errorf("push: %w", err)
				}
				if d, err := r.Pull(name, tag); err != nil || d != img.Digest() {
					return fmt.Errorf("after 201 %s:%s is %s: %w", name, tag, d, err)
				}
				next := registrytest.NewImage(fmt.Sprintf("%d %d next", k, n), "shared by all")
				if err := w.Push(name, tag, next); err != nil {
					return fmt.Errorf("push: %w", err)
				}
				a, err := r.Do("HEAD", "/v2/"+name+"/manifests/"+tag, nil)
				if err != nil || a.Header.Get("Docker-Content-Digest") != next.Digest().String() {
					return fmt.Errorf("after another 201 %s:%s is the old one, %w", name, tag, err)
				}
				for _, ref := range []string{tag, img.Digest().String()} {
					a, err := w.Do("DELETE", "/v2/"+name+"/manifests/"+ref, nil)
					if err == nil {
						err = a.Is(202)
					}
					if err != nil {
						return fmt.Errorf("delete: %w", err)
					}
					if a, err = r.Do("GET", "/v2/"+name+"/manifests/"+ref, nil); err == nil {
						err = a.Is(404)
					}
					if err != nil {
						return fmt.Errorf("after 202: %w", err)
					}
				}
			}
			return nil
		})...))
		h.Rebuilt()
	})
}
