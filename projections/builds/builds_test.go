package builds_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/builds"
	"hubledger/projections/pgtest"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// id is a UUIDv7 with that number.
func id(n int) string { return fmt.Sprintf("0191d1a0-0000-7000-8000-%012d", n) }

const acme, app, lib = 1, 2, 3 // a namespace, and two of its sources

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// history makes a log in memory of events, each a minute later than the one before.
func history(list ...events.Payload) *projectiontest.Log {
	log := &projectiontest.Log{}
	for k, p := range list {
		e, err := events.New(p, events.Meta{ID: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, k)).String(), Source: "/test", Actor: "tester"})
		if err != nil {
			panic(err)
		}
		e.Set(events.AttrTime, noon.Add(time.Duration(k+1)*time.Minute).Format(events.TimeLayout))
		log.Append(e)
	}
	return log
}

func linked(n int, name, url string) events.SourceLinked {
	return events.SourceLinked{Namespace: id(acme), Source: id(n), Name: name, Settings: events.SourceSettings{URL: url, Host: events.HostGit, HookSecret: id(90 + n)}}
}

func moved(n int, ref, old, new string) events.RefMoved {
	kind := events.RefBranch
	if strings.HasPrefix(ref, "refs/tags/") {
		kind = events.RefTag
	}
	return events.RefMoved{Namespace: id(acme), Source: id(n), Ref: ref, Kind: kind, Old: old, New: new}
}

// story links two sources, moves refs of one, and unlinks the other.
func story() []events.Payload {
	first := moved(app, "refs/heads/main", "", "c1")
	first.Initial = true
	tag := moved(app, "refs/tags/v1", "", "c1")
	tag.Annotated = "t1"
	changed := events.SourceChanged{Namespace: id(acme), Source: id(app), Name: "acme/app", Changed: []string{events.ChangedHostKey},
		Settings: events.SourceSettings{URL: "git@x:app", Host: events.HostGitea, Credentials: events.CredentialsDeployKey, Secret: id(80), DeployKey: "ssh-ed25519 A",
			HostKey: "ssh-ed25519 B", HookSecret: id(81), BuildExisting: true}}
	return []events.Payload{linked(app, "acme/app", "https://x/app"), linked(lib, "acme/lib", "https://x/lib"), first,
		events.RefsRecorded{Namespace: id(acme), Source: id(app), Refs: 1}, moved(app, "refs/heads/main", "c1", "c2"), tag,
		moved(app, "refs/heads/old", "", "c1"), moved(app, "refs/heads/old", "c1", ""), moved(lib, "refs/heads/main", "", "d1"), changed,
		events.SourceUnlinked{Namespace: id(acme), Source: id(lib), Name: "acme/lib"}}
}

// onEach reads what a history comes to, on either store.
func onEach(t *testing.T, list []events.Payload, test func(t *testing.T, r builds.Reader)) {
	log := history(list...)
	projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
		store, err := storage.Open(t.Context(), &builds.Projection, projections.Options{})
		check(t, err)
		defer store.Close()
		check(t, projections.CatchUp(t.Context(), store, log, uint64(len(list)), nil))
		test(t, builds.Reader{DB: store.DB()})
	})
}

func TestReader(t *testing.T) {
	onEach(t, story(), func(t *testing.T, r builds.Reader) {
		ctx := t.Context()
		s, err := r.Source(ctx, "acme/app")
		check(t, err)
		want := story()[9].(events.SourceChanged).Settings
		if s.ID != id(app) || s.Namespace != id(acme) || s.Settings != want || !s.Recorded || s.Seq != 10 || s.Actor != "tester" || !s.Changed.Equal(noon.Add(10*time.Minute)) {
			t.Errorf("acme/app is %+v", s)
		}
		if same, err := r.SourceByID(ctx, id(app)); err != nil || *same != *s {
			t.Errorf("by id it is %+v, %v", same, err)
		}
		for _, err := range []error{second(r.Source(ctx, "acme/lib")), second(r.SourceByID(ctx, id(lib))), second(r.SourceByID(ctx, "x")), second(r.Ref(ctx, id(app), "refs/heads/none")), second(r.Lives(ctx, id(7)))} {
			if !errors.Is(err, builds.ErrNotFound) {
				t.Errorf("what is not there: %v", err)
			}
		}
		for n, want := range map[int]bool{app: true, lib: false} {
			if lives, err := r.Lives(ctx, id(n)); err != nil || lives != want {
				t.Errorf("source %d lives: %t, %v", n, lives, err)
			}
		}
		if all, err := r.Sources(ctx, id(acme), "", 9); err != nil || len(all) != 1 || all[0] != *s {
			t.Errorf("sources of acme: %+v, %v", all, err)
		}
		if all, err := r.Sources(ctx, id(acme), "acme/app", 9); err != nil || len(all) != 0 {
			t.Errorf("sources behind acme/app: %+v, %v", all, err)
		}
		if all, err := r.Watched(ctx); err != nil || len(all) != 1 || all[0] != (builds.Watched{ID: id(app), Seq: 10}) {
			t.Errorf("watched are %+v, %v", all, err)
		}
		places, err := r.Places(ctx, id(app))
		if want := "map[refs/heads/main:{c2 } refs/tags/v1:{c1 t1}]"; err != nil || fmt.Sprint(places) != want {
			t.Errorf("refs are at %v, %v; want %s", places, err, want)
		}
		var shown []string
		for before := uint64(0); ; {
			page, err := r.Refs(ctx, id(app), before, 2)
			check(t, err)
			if len(page) == 0 {
				break
			}
			for _, ref := range page {
				shown = append(shown, fmt.Sprintf("%s %s<%s %t", ref.Name, ref.Commit, ref.Previous, ref.Initial))
				before = ref.Seq
			}
		}
		if got, want := strings.Join(shown, ", "), "refs/heads/old <c1 false, refs/tags/v1 c1< false, refs/heads/main c2<c1 false"; got != want {
			t.Errorf("refs, latest first: %s\nwant %s", got, want)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// Row by row, in batches with interruptions and in bulk the log comes to the same
// rows, on either store.
func TestConverges(t *testing.T) {
	projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
		rng := projectiontest.Seed(t)
		list := story()
		for range 300 {
			list = append(list, randomly(rng))
		}
		projectiontest.Converge(t, &builds.Projection, history(list...), rng, storage)
	})
}

func randomly(rng *rand.Rand) events.Payload {
	n := app + rng.IntN(9)
	name := fmt.Sprint("acme/app", n)
	switch rng.IntN(6) {
	case 0:
		return linked(n, name, fmt.Sprint("https://x/", rng.IntN(9)))
	case 1:
		return events.SourceUnlinked{Namespace: id(acme), Source: id(n), Name: name}
	case 2:
		return events.RefsRecorded{Namespace: id(acme), Source: id(n), Refs: rng.IntN(9)}
	}
	return moved(n, fmt.Sprint("refs/tags/v", rng.IntN(20)), fmt.Sprint("c", rng.IntN(9)), fmt.Sprint("c", rng.IntN(9)))
}

// Queries find their rows by a key, but for the list of all that is watched.
func TestQueriesUseKeys(t *testing.T) {
	ctx := t.Context()
	store, err := sqlitestore.Dir(t.TempDir()).Open(ctx, &builds.Projection, projections.Options{})
	check(t, err)
	defer store.Close()
	list := story()
	check(t, projections.CatchUp(ctx, store, history(list...), uint64(len(list)), nil))
	for name, ask := range map[string]func(builds.Reader) error{
		"Source":     func(r builds.Reader) error { return second(r.Source(ctx, "acme/app")) },
		"SourceByID": func(r builds.Reader) error { return second(r.SourceByID(ctx, id(app))) },
		"Sources":    func(r builds.Reader) error { return second(r.Sources(ctx, id(acme), "a", 9)) },
		"Lives":      func(r builds.Reader) error { return second(r.Lives(ctx, id(app))) },
		"Refs":       func(r builds.Reader) error { return second(r.Refs(ctx, id(app), 9, 9)) },
		"Ref":        func(r builds.Reader) error { return second(r.Ref(ctx, id(app), "refs/heads/main")) },
		"Places":     func(r builds.Reader) error { return second(r.Places(ctx, id(app))) },
		"MadeOf":     func(r builds.Reader) error { return second(r.MadeOf(ctx, id(app), []string{"sha256:1"})) },
		"Bases":      func(r builds.Reader) error { return second(r.Bases(ctx, id(app))) },
		"OnBases":    func(r builds.Reader) error { return second(r.OnBases(ctx, 9)) },
		"ByEvent":    func(r builds.Reader) error { return second(r.ByEvent(ctx, id(app))) },
		"LatestHook": func(r builds.Reader) error { return second(r.LatestHook(ctx, id(app))) },
		"Rules":      func(r builds.Reader) error { return second(r.Rules(ctx, id(app))) },
		"Fed":        func(r builds.Reader) error { return second(r.Fed(ctx, id(app), id(lib))) },
		"Pushes":     func(r builds.Reader) error { return second(r.Pushes(ctx, id(app), 9, 9)) },
		"DuePushes":  func(r builds.Reader) error { return second(r.DuePushes(ctx, id(app), 9, 9)) },
		"Waiting":    func(r builds.Reader) error { return second(r.WaitingPushes(ctx, id(app), 9)) },
		"PushOf":     func(r builds.Reader) error { return second(r.PushOf(ctx, id(app), id(lib), "refs/heads/main")) },
		"Wanted":     func(r builds.Reader) error { return second(r.WantedBuild(ctx, id(app), "edge")) },
		"Newer": func(r builds.Reader) error {
			return second(r.NewerCommit(ctx, &builds.Build{Repository: id(app), Source: id(app)}))
		},
		"LaterUpload": func(r builds.Reader) error {
			return second(r.LaterUpload(ctx, &builds.Build{ID: id(app)}, "dev", "sha256:d"))
		},
		"DuePush":    func(r builds.Reader) error { return second(r.DuePush(ctx, id(app), id(lib))) },
		"Pulls":      func(r builds.Reader) error { return second(r.Pulls(ctx, id(app))) },
		"PullsAt":    func(r builds.Reader) error { return second(r.PullsAt(ctx, id(app))) },
		"ToldPulls":  func(r builds.Reader) error { return second(r.ToldPulls(ctx, id(app))) },
		"PullsShown": func(r builds.Reader) error { return second(r.PullRequests(ctx, id(app), 9, 9)) },
		"Closed":     func(r builds.Reader) error { return second(r.WaitingOfClosed(ctx)) },
		"Deliveries": func(r builds.Reader) error { return second(r.Deliveries(ctx, id(app), 9, 9)) },
		"Delivery":   func(r builds.Reader) error { return second(r.Delivery(ctx, id(app), 9)) },
		"Seen":       func(r builds.Reader) error { return second(r.Seen(ctx, id(app), "d")) },
		"Moves":      func(r builds.Reader) error { return second(r.Moves(ctx, id(app), id(9), 9)) },
		"Refusal":    func(r builds.Reader) error { return second(r.LatestRefusal(ctx, id(app))) },
		"LastHeard":  func(r builds.Reader) error { return second(r.LastHeard(ctx, id(app))) },
	} {
		db := &projectiontest.Planned{DB: store.DB()}
		if err := ask(builds.Reader{DB: db}); err != nil && !errors.Is(err, builds.ErrNotFound) {
			t.Fatal(err)
		}
		check(t, db.Err)
		if len(db.Plans) == 0 {
			t.Errorf("%s: no query was recorded", name)
		}
		for _, step := range db.Plans {
			if strings.HasPrefix(step, "SCAN") && step != "SCAN CONSTANT ROW" || strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s: %q", name, db.Plans)
			}
		}
	}
}
