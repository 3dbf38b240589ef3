package images_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/images"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
)

// The queries of every request find their rows by a key, however many there
// are, and lists come in the order of one: nothing is scanned or sorted.
func TestQueriesUseKeys(t *testing.T) {
	ctx := t.Context()
	log := projectiontest.RegistryEvents(rand.New(rand.NewPCG(1, 1)), 500, 0)
	store, err := sqlitestore.Dir(t.TempDir()).Open(ctx, &images.Projection, projections.Options{})
	check(t, err)
	defer store.Close()
	last, _ := log.LastSeq(ctx)
	check(t, projections.CatchUp(ctx, store, log, last, nil))

	repo, d := anImage(t, log, last)
	for name, ask := range map[string]func(images.Reader) error{
		"Repository":     func(r images.Reader) error { return second(r.Repository(ctx, "a/b")) },
		"RepositoryName": func(r images.Reader) error { return second(r.RepositoryName(ctx, repo)) },
		"NamespaceOf":    func(r images.Reader) error { return second(r.NamespaceOf(ctx, repo)) },
		"ManifestByTag":  func(r images.Reader) error { return second(r.ManifestByTag(ctx, repo, "latest")) },
		"Manifest":       func(r images.Reader) error { return second(r.Manifest(ctx, repo, d)) },
		"HasManifest":    func(r images.Reader) error { return second(r.HasManifest(ctx, repo, d)) },
		"TagAsOf":        func(r images.Reader) error { return second(r.TagAsOf(ctx, repo, "latest", 1)) },
		"TagsAsOf":       func(r images.Reader) error { return second(r.TagsAsOf(ctx, repo, "a", 1, 100)) },
		"Ever":           func(r images.Reader) error { return second(r.Ever(ctx, repo, d)) },
		"WasPushed":      func(r images.Reader) error { return second(r.WasPushed(ctx, repo, d)) },
		"HoldsBlob":      func(r images.Reader) error { return second(r.HoldsBlob(ctx, repo, d)) },
		"HeldBlobSince":  func(r images.Reader) error { return second(r.HeldBlobSince(ctx, repo, d, time.Now())) },
		"LiveHolders":    func(r images.Reader) error { return second(r.LiveHolders(ctx, d, 8)) },
		"NamespaceID":    func(r images.Reader) error { return second(r.NamespaceID(ctx, "ns1")) },
		"HeldElsewhere": func(r images.Reader) error {
			return second(r.HeldElsewhere(ctx, repo, digest.FromString("none"), false))
		},
		"RepositoryHolds": func(r images.Reader) error {
			return r.RepositoryHolds(ctx, repo, func(images.Hold) error { return nil })
		},
		"Above":     func(r images.Reader) error { return second(r.Above(ctx, repo, []digest.Digest{d, d})) },
		"HeldOf":    func(r images.Reader) error { return second(r.HeldOf(ctx, repo, []digest.Digest{d, d})) },
		"Beginning": func(r images.Reader) error { return second(r.Beginning(ctx, repo, d.String())) },
		"TagsOf":    func(r images.Reader) error { return second(r.TagsOf(ctx, repo, []digest.Digest{d, d})) },
		"Content":   func(r images.Reader) error { return second(r.Content(ctx, repo)) },
		"Catalog of a few": func(r images.Reader) error {
			return second(r.Catalog(ctx, images.Visible{Public: true, Namespaces: []string{repo}, Repositories: []string{repo, repo}}, "a", 100))
		},
		"Catalog of names": func(r images.Reader) error {
			return second(r.Catalog(ctx, images.Visible{Public: true, Only: []string{"b/c"}}, "a", 100))
		},
		"Tags":          func(r images.Reader) error { return second(r.Tags(ctx, repo, "a", 100)) },
		"Catalog":       func(r images.Reader) error { return second(r.Catalog(ctx, images.Visible{All: true}, "a", 100)) },
		"Referrers":     func(r images.Reader) error { _, _, err := r.Referrers(ctx, repo, d, "", "", 100); return err },
		"TagDetail":     func(r images.Reader) error { return second(r.TagDetail(ctx, repo, "latest")) },
		"CountTags":     func(r images.Reader) error { return second(r.CountTags(ctx, repo, "1.")) },
		"DeletedTag":    func(r images.Reader) error { return second(r.DeletedTag(ctx, repo, "latest")) },
		"LastDeletion":  func(r images.Reader) error { return second(r.LastDeletion(ctx, repo, d)) },
		"HoldEnd":       func(r images.Reader) error { _, _, err := r.HoldEnd(ctx, d, time.Hour); return err },
		"SweptAt":       func(r images.Reader) error { return second(r.SweptAt(ctx, d)) },
		"ManifestBlobs": func(r images.Reader) error { return second(r.ManifestBlobs(ctx, repo, d)) },
	} {
		t.Run(name, func(t *testing.T) {
			db := &projectiontest.Planned{DB: store.DB()}
			if err := ask(images.Reader{DB: db}); err != nil && !strings.Contains(err.Error(), images.ErrNotFound.Error()) {
				t.Fatal(err)
			}
			check(t, db.Err)
			if len(db.Plans) == 0 {
				t.Fatal("no query was recorded")
			}
			for _, step := range db.Plans {
				if strings.HasPrefix(step, "SCAN") || strings.Contains(step, "TEMP B-TREE") {
					t.Errorf("%s: %s", step, fmt.Sprintf("%q", db.Plans))
				}
			}
		})
	}
	// The check itself must be able to fail.
	db := &projectiontest.Planned{DB: store.DB()}
	if _, err := db.QueryContext(ctx, "SELECT * FROM holds WHERE manifest = $1", []byte{1}); err != nil || !strings.HasPrefix(db.Plans[0], "SCAN") {
		t.Errorf("a scan is planned as %q, %v", db.Plans, err)
	}
}

// anImage is a push of the history that has layers.
func anImage(t *testing.T, log *projectiontest.Log, last uint64) (repo string, d digest.Digest) {
	t.Helper()
	found := errors.New("found")
	err := log.Follow(t.Context(), 0, int(last), func(batch []events.Event) error {
		for k := range batch {
			p, err := events.Decode(&batch[k])
			if push, ok := p.(events.ImagePushed); err == nil && ok {
				if m, err := images.ParseManifest(push.Manifest); err == nil && len(m.Layers) > 1 {
					repo, d = push.Repository, push.Digest
					return found
				}
			}
		}
		return nil
	})
	if err != found {
		t.Fatal(err)
	}
	return repo, d
}

func second[T any](_ T, err error) error { return err }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
