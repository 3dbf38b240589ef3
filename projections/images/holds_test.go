package images_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/images"
	"hubledger/projections/pgtest"
	"hubledger/projections/projectiontest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

const (
	nsID   = "0191d1a0-0000-7000-8000-000000000001"
	repoA  = "0191d1a0-0000-7000-8000-00000000000a"
	repoB  = "0191d1a0-0000-7000-8000-00000000000b"
	window = 24 * time.Hour
)

// noon is when the histories of these tests begin; each event is a minute
// later than the one before.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// history makes a log in memory of events, the first at minute 1.
func history(t testing.TB, list ...events.Payload) *projectiontest.Log {
	t.Helper()
	log := &projectiontest.Log{}
	for k, p := range list {
		e, err := events.New(p, events.Meta{ID: uuid.NewString(), Source: "/test", Actor: "tester"})
		check(t, err)
		e.Set(events.AttrTime, minute(k+1).Format(events.TimeLayout))
		log.Append(e)
	}
	return log
}

// onEach reads what a history comes to, on either store.
func onEach(t *testing.T, list []events.Payload, test func(t *testing.T, r images.Reader)) {
	log := history(t, list...)
	last, err := log.LastSeq(t.Context())
	check(t, err)
	projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
		store, err := storage.Open(t.Context(), &images.Projection, projections.Options{})
		check(t, err)
		defer store.Close()
		check(t, projections.CatchUp(t.Context(), store, log, last, nil))
		test(t, images.Reader{DB: store.DB()})
	})
}

func blob(content string) v1.Descriptor {
	return v1.Descriptor{MediaType: v1.MediaTypeImageLayer, Digest: digest.FromString(content), Size: int64(len(content))}
}

// image is a push of an image whose config is made of its name and that has a
// layer "shared".
func image(repo, tag, name string) events.ImagePushed {
	m := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: blob(name), Layers: []v1.Descriptor{blob("shared")}}
	return pushed(repo, tag, m.MediaType, m)
}

func index(repo, tag string, children ...events.ImagePushed) events.ImagePushed {
	m := v1.Index{MediaType: v1.MediaTypeImageIndex}
	for _, c := range children {
		m.Manifests = append(m.Manifests, v1.Descriptor{MediaType: c.MediaType, Digest: c.Digest, Size: int64(len(c.Manifest))})
	}
	return pushed(repo, tag, m.MediaType, m)
}

func pushed(repo, tag, kind string, m any) events.ImagePushed {
	raw, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return events.ImagePushed{Namespace: nsID, Repository: repo, Tag: tag, Digest: digest.FromBytes(raw), MediaType: kind, Manifest: raw}
}

func created(repo, name string) events.Payload {
	return events.RepositoryCreated{Namespace: nsID, Repository: repo, Name: name}
}

func deleted(i events.ImagePushed) events.Payload {
	return events.ManifestDeleted{Namespace: nsID, Repository: i.Repository, Digest: i.Digest}
}

func restored(i events.ImagePushed, deletion uint64) events.Payload {
	return events.ManifestRestored{Namespace: nsID, Repository: i.Repository, Digest: i.Digest, Deletion: deletion}
}

// HoldEnd is what garbage collection goes by: an hour too early is lost data.
func TestHoldEnd(t *testing.T) {
	a, b := image(repoA, "1", "a"), image(repoB, "1", "b")
	again := a
	again.Tag = ""
	all := index(repoA, "all", a)
	removed := func(repo, name string) events.Payload {
		return events.RepositoryDeleted{Namespace: nsID, Repository: repo, Name: name}
	}
	back := func(repo, name string) events.Payload {
		return events.RepositoryRestored{Namespace: nsID, Repository: repo, Name: name}
	}
	ra, rb := created(repoA, "x/a"), created(repoB, "x/b")
	for k, row := range []struct {
		what    string
		history []events.Payload
		ends    int // minute at which the last life of the shared layer ended; -1 while it lives, 0 when it never did
	}{
		{"never", []events.Payload{ra}, 0},
		{"live", []events.Payload{ra, a}, -1},
		{"untagged", []events.Payload{ra, a, events.TagDeleted{Namespace: nsID, Repository: repoA, Tag: "1", Digest: a.Digest}}, -1},
		{"overwritten", []events.Payload{ra, a, image(repoA, "1", "other")}, -1},
		{"deleted", []events.Payload{ra, a, deleted(a)}, 3},
		{"deleted twice", []events.Payload{ra, a, deleted(a), deleted(a)}, 4},
		{"deleted and restored", []events.Payload{ra, a, deleted(a), restored(a, 3)}, -1},
		{"one of two deletions restored", []events.Payload{ra, a, deleted(a), deleted(a), restored(a, 4)}, 3},
		{"deleted and pushed again", []events.Payload{ra, a, deleted(a), again}, -1},
		{"pushed again and deleted", []events.Payload{ra, a, deleted(a), again, deleted(a)}, 5},
		{"deleted and revived by an index", []events.Payload{ra, a, deleted(a), all}, -1},
		{"revived and deleted", []events.Payload{ra, a, deleted(a), all, deleted(a)}, 5},
		{"revived by a tag's return", []events.Payload{ra, a, deleted(a), events.TagRestored{Namespace: nsID, Repository: repoA, Tag: "1", Digest: a.Digest}}, -1},
		{"its repository deleted", []events.Payload{ra, a, removed(repoA, "x/a")}, 3},
		{"its repository restored", []events.Payload{ra, a, removed(repoA, "x/a"), back(repoA, "x/a")}, -1},
		{"deleted, then its repository", []events.Payload{ra, a, deleted(a), removed(repoA, "x/a")}, 3},
		{"its repository deleted, then itself", []events.Payload{ra, a, removed(repoA, "x/a"), deleted(a)}, 3},
		{"restored in a deleted repository", []events.Payload{ra, a, deleted(a), removed(repoA, "x/a"), restored(a, 3)}, 4},
		{"held by another repository", []events.Payload{ra, rb, a, b, deleted(a)}, -1},
		{"deleted in both", []events.Payload{ra, rb, a, b, deleted(a), deleted(b)}, 6},
		{"deleted in one, the other repository gone", []events.Payload{ra, rb, a, b, removed(repoB, "x/b"), deleted(a)}, 6},
		{"the name taken by another repository", []events.Payload{ra, a, removed(repoA, "x/a"), created(repoB, "x/a")}, 3},
		{"pushed into a deleted repository", []events.Payload{ra, removed(repoA, "x/a"), a}, 2},
	} {
		t.Run(fmt.Sprint(k, " ", row.what), func(t *testing.T) {
			onEach(t, row.history, func(t *testing.T, r images.Reader) {
				end, live, err := r.HoldEnd(t.Context(), blob("shared").Digest, window)
				check(t, err)
				want := time.Time{}
				if row.ends > 0 {
					want = minute(row.ends).Add(window)
				}
				if live != (row.ends < 0) || !end.Equal(want) {
					t.Errorf("ends %s, live %v; want minute %d", end, live, row.ends)
				}
			})
		})
	}
}

// Who may name a blob in a push: the repository that holds it, or did until
// then; and who may read it: the one that holds it.
func TestHoldsBlob(t *testing.T) {
	a, b := image(repoA, "1", "a"), image(repoB, "1", "b")
	list := []events.Payload{created(repoA, "x/a"), created(repoB, "x/b"), a, b, deleted(a), deleted(a)}
	onEach(t, list, func(t *testing.T, r images.Reader) {
		d := blob("shared").Digest
		for _, row := range []struct {
			repo   string
			minute int
			holds  bool
			held   bool
		}{
			{repoA, 4, false, true}, {repoA, 5, false, true}, {repoA, 6, false, false}, // the first deletion ended it
			{repoB, 60, true, true}, {nsID, 1, false, false},
		} {
			holds, err := r.HoldsBlob(t.Context(), row.repo, d)
			check(t, err)
			held, err := r.HeldBlobSince(t.Context(), row.repo, d, minute(row.minute))
			check(t, err)
			if holds != row.holds || held != row.held {
				t.Errorf("%s holds %v, held since minute %d %v", row.repo, holds, row.minute, held)
			}
		}
		if names, err := r.LiveHolders(t.Context(), d, 8); err != nil || len(names) != 1 || names[0] != "x/b" {
			t.Errorf("held in %q, %v", names, err)
		}
		blobs, err := r.ManifestBlobs(t.Context(), repoA, a.Digest)
		check(t, err)
		if len(blobs) != 2 || blobs[0] != blob("a").Digest || blobs[1] != d {
			t.Errorf("the image holds %v", blobs)
		}
		if blobs, err = r.RepositoryBlobs(t.Context(), repoA); err != nil || len(blobs) != 0 {
			t.Errorf("a repository without live images holds %v, %v", blobs, err)
		}
		if blobs, err = r.RepositoryBlobs(t.Context(), repoB); err != nil || len(blobs) != 2 {
			t.Errorf("a repository with one image holds %v, %v", blobs, err)
		}
	})
}

// What a pusher left out is not held by the push, but by a later one that had it.
func TestAbsentBlobsAreNotHeld(t *testing.T) {
	without := image(repoA, "1", "a")
	without.Absent = []digest.Digest{blob("shared").Digest}
	with := image(repoA, "1", "a")
	for want, list := range map[bool][]events.Payload{
		false: {created(repoA, "x/a"), without},
		true:  {created(repoA, "x/a"), without, with, without},
	} {
		onEach(t, list, func(t *testing.T, r images.Reader) {
			holds, err := r.HoldsBlob(t.Context(), repoA, blob("shared").Digest)
			check(t, err)
			if holds != want {
				t.Errorf("held: %v, want %v", holds, want)
			}
			if holds, err := r.HoldsBlob(t.Context(), repoA, blob("a").Digest); err != nil || !holds {
				t.Errorf("the config is held: %v, %v", holds, err)
			}
		})
	}
}
