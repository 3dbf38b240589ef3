package registry_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/registry/registrytest"
)

// A model says what a registry must answer, in plain maps.
type model struct {
	repos   map[string]*modelRepo // live ones
	deleted map[string]*modelRepo // the latest deleted of a name
}

type modelRepo struct {
	manifests map[string]bool            // live, by digest
	deleted   map[string]map[string]bool // by digest: the tags that its deletion hid
	tags      map[string]string          // live
	untagged  map[string]string          // deleted tags, and what they named
}

func newModelRepo() *modelRepo {
	return &modelRepo{manifests: map[string]bool{}, deleted: map[string]map[string]bool{}, tags: map[string]string{}, untagged: map[string]string{}}
}

// TestAnswersAreTheModels does random things and compares every answer that
// could come from the cache with a model in memory, so that nothing that was
// deleted is ever served again, and nothing that is there ever missed.
func TestAnswersAreTheModels(t *testing.T) {
	onEachLong(t, func(t *testing.T, h *registrytest.Hub) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		w := &walk{t: t, h: h, c: h.Client(), rng: rand.New(rand.NewPCG(seed, 0)), model: model{map[string]*modelRepo{}, map[string]*modelRepo{}}}
		subject := registrytest.NewImage("subject").Descriptor()
		for k := range 4 {
			w.images = append(w.images, registrytest.NewImage(fmt.Sprint("layer ", k), "shared"))
		}
		w.images = append(w.images, registrytest.With(func(m *v1.Manifest) { m.Subject = &subject }, "refers"))
		w.subject = subject.Digest
		for range sized(50, 3000) {
			w.step()
			w.compare()
		}
		h.Restart()
		w.c = h.Client()
		w.compare()
		h.Rebuilt()
	})
}

type walk struct {
	t       *testing.T
	h       *registrytest.Hub
	c       *registrytest.Client
	rng     *rand.Rand
	images  []*registrytest.Image
	subject digest.Digest
	model
}

var walkNames, walkTags = []string{"alice/app", "bob/app"}, []string{"1", "2", "latest"}

func (w *walk) step() {
	name := walkNames[w.rng.IntN(len(walkNames))]
	tag := walkTags[w.rng.IntN(len(walkTags))]
	img := w.images[w.rng.IntN(len(w.images))]
	d := img.Digest().String()
	repo := w.repos[name]
	ctx := w.t.Context()
	switch n := w.rng.IntN(20); {
	case n < 7:
		ref := []string{tag, ""}[w.rng.IntN(2)]
		w.c.MustPush(w.t, name, ref, img)
		if repo == nil {
			repo = newModelRepo()
			w.repos[name] = repo
		}
		repo.manifests[d] = true
		delete(repo.deleted, d)
		if ref != "" {
			repo.forget(tag)
			repo.tags[tag] = d
		}
	case repo == nil:
		_, err := w.h.Registry.RestoreRepository(ctx, registrytest.By, name, "")
		if old := w.deleted[name]; (err == nil) != (old != nil) {
			w.t.Fatalf("restore %s: %v", name, err)
		} else if old != nil {
			w.repos[name] = old
			delete(w.deleted, name)
		}
	case n < 10:
		a := w.c.Must(w.t, "DELETE", "/v2/"+name+"/manifests/"+tag, nil)
		if was, ok := repo.tags[tag]; ok {
			a.Want(w.t, 202)
			delete(repo.tags, tag)
			repo.untagged[tag] = was
		} else {
			a.Want(w.t, 404)
		}
	case n < 13:
		a := w.c.Must(w.t, "DELETE", "/v2/"+name+"/manifests/"+d, nil)
		if repo.manifests[d] {
			a.Want(w.t, 202)
			repo.remove(d)
		} else {
			a.Want(w.t, 404)
		}
	case n < 16:
		_, err := w.h.Registry.RestoreManifest(ctx, registrytest.By, name, img.Digest())
		hidden, ok := repo.deleted[d]
		if (err == nil) != ok {
			w.t.Fatalf("restore %s@%s: %v", name, d, err)
		}
		if ok {
			repo.manifests[d] = true
			delete(repo.deleted, d)
			for tag := range hidden {
				repo.tags[tag] = d
			}
		}
	case n < 18:
		_, err := w.h.Registry.RestoreTag(ctx, registrytest.By, name, tag)
		was, ok := repo.untagged[tag]
		if (err == nil) != (ok && repo.manifests[was]) {
			w.t.Fatalf("restore %s:%s of %s: %v", name, tag, was, err)
		}
		if err == nil {
			delete(repo.untagged, tag)
			repo.tags[tag] = was
		}
	case n < 19:
		_, err := w.h.Registry.DeleteRepository(ctx, registrytest.By, name)
		check(w.t, err)
		w.deleted[name] = repo
		delete(w.repos, name)
	default: // what only leases hold is gone
		w.h.EndLeases(walkNames...)
	}
}

// forget: a push of a tag leaves nothing of what the tag was.
func (r *modelRepo) forget(tag string) {
	delete(r.untagged, tag)
	for _, hidden := range r.deleted {
		delete(hidden, tag)
	}
}

func (r *modelRepo) remove(d string) {
	delete(r.manifests, d)
	hidden := map[string]bool{}
	for tag, to := range r.tags {
		if to == d {
			hidden[tag] = true
			delete(r.tags, tag)
		}
	}
	r.deleted[d] = hidden
}

// compare asks everything, twice: the second time the cache can answer.
func (w *walk) compare() {
	for range 2 {
		for _, name := range walkNames {
			repo := w.repos[name]
			if repo == nil {
				repo = newModelRepo()
			}
			for _, tag := range walkTags {
				w.wants(name, tag, repo.tags[tag])
			}
			refers := []digest.Digest{}
			for _, img := range w.images {
				d := img.Digest().String()
				if repo.manifests[d] {
					w.wants(name, d, d)
					for _, content := range img.Blobs {
						w.c.Must(w.t, "HEAD", "/v2/"+name+"/blobs/"+registrytest.Sum(content).String(), nil).Want(w.t, 200)
					}
					if img == w.images[len(w.images)-1] {
						refers = append(refers, img.Digest())
					}
				} else {
					w.wants(name, d, "")
				}
			}
			w.compareLists(name, repo, refers)
		}
		var live []string
		for _, name := range walkNames {
			if w.repos[name] != nil {
				live = append(live, name)
			}
		}
		if got := slices.Concat(pages(w.t, w.c, "/v2/_catalog", "repositories")...); !slices.Equal(got, live) {
			w.t.Fatalf("catalog %q, want %q", got, live)
		}
	}
}

// wants asks for a reference; an empty digest means that it is not there.
func (w *walk) wants(name, ref, d string) {
	w.t.Helper()
	a := w.c.Must(w.t, "GET", "/v2/"+name+"/manifests/"+ref, nil)
	if d == "" {
		a.Want(w.t, 404)
		return
	}
	a.Want(w.t, 200).WantHeader(w.t, "Docker-Content-Digest", d)
	if got := digest.FromBytes(a.Body).String(); got != d {
		w.t.Fatalf("%s:%s is %s, want %s", name, ref, got, d)
	}
}

func (w *walk) compareLists(name string, repo *modelRepo, refers []digest.Digest) {
	w.t.Helper()
	a := w.c.Must(w.t, "GET", "/v2/"+name+"/tags/list", nil)
	if w.repos[name] == nil {
		a.Want(w.t, 404)
	} else {
		var body struct{ Tags []string }
		check(w.t, json.Unmarshal(a.Want(w.t, 200).Body, &body))
		var want []string
		for _, tag := range walkTags {
			if repo.tags[tag] != "" {
				want = append(want, tag)
			}
		}
		if !slices.Equal(body.Tags, want) {
			w.t.Fatalf("%s has tags %q, want %q", name, body.Tags, want)
		}
	}
	list, _ := referrers(w.t, w.c, name, w.subject, "")
	if len(list) != len(refers) || len(list) == 1 && list[0].Digest != refers[0] {
		w.t.Fatalf("%s has referrers %v, want %v", name, list, refers)
	}
}
