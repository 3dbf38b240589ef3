package deploys_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/deploys"
	"hubledger/projections/pgtest"
	"hubledger/projections/projectiontest"
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

const acme, shop, blog, production, staging = 1, 2, 3, 4, 5

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

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

func created(n int, name string) events.Payload {
	return events.ApplicationCreated{Namespace: id(acme), Application: id(n), Name: name, Settings: events.ApplicationSettings{Digest: "sha256:a", Compose: "a of " + name, Keep: 2}}
}

func configured(environment, version int, values []events.ConfigurationRecord, secrets ...events.ConfigurationRecord) events.Payload {
	return events.ConfigurationSet{Namespace: id(acme), Application: id(shop), Name: "acme/shop", Environment: id(environment), Called: "x", Version: version, Changed: []string{"A"}, Values: values, Secrets: secrets}
}

func released(n, number int, of ...events.ReleaseConfiguration) events.Payload {
	return events.ReleaseMade{Namespace: id(acme), Application: id(n), Name: "acme/shop", Number: number, Digest: "sha256:a",
		Images: []events.ReleaseImage{{Service: "web", Image: "x", Name: "acme/web", Repository: id(9), Digest: "sha256:" + fmt.Sprintf("%064d", number), Held: true}}, Configurations: of}
}

func story() []events.Payload {
	return []events.Payload{created(shop, "acme/shop"), created(blog, "acme/blog"),
		events.EnvironmentCreated{Namespace: id(acme), Application: id(shop), Name: "acme/shop", Environment: id(staging), Called: "staging"},
		events.EnvironmentCreated{Namespace: id(acme), Application: id(shop), Name: "acme/shop", Environment: id(production), Called: "production"},
		configured(production, 1, []events.ConfigurationRecord{{Name: "REGION", Record: id(19)}}), configured(production, 2, nil, events.ConfigurationRecord{Name: "A", Record: id(20)}),
		released(shop, 1, events.ReleaseConfiguration{Environment: id(production), Called: "production", Version: 2}), released(shop, 2),
		events.ApplicationChanged{Namespace: id(acme), Application: id(shop), Name: "acme/shop", Settings: events.ApplicationSettings{Digest: "sha256:b", Compose: "b", Keep: 3}},
		configured(production, 3, nil),
		events.EnvironmentDeleted{Namespace: id(acme), Application: id(shop), Name: "acme/shop", Environment: id(staging), Called: "staging"},
		events.ApplicationDeleted{Namespace: id(acme), Application: id(blog), Name: "acme/blog"}}
}

func second[T any](_ T, err error) error { return err }

func TestReader(t *testing.T) {
	list := story()
	log := history(list...)
	projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
		store, err := storage.Open(t.Context(), &deploys.Projection, projections.Options{})
		check(t, err)
		defer store.Close()
		check(t, projections.CatchUp(t.Context(), store, log, uint64(len(list)), nil))
		ctx, r := t.Context(), deploys.Reader{DB: store.DB()}
		a, err := r.Application(ctx, "acme/shop")
		check(t, err)
		if want := (deploys.Application{ID: id(shop), Namespace: id(acme), Name: "acme/shop", Digest: "sha256:b", Keep: 3, Latest: 2, Changed: noon.Add(9 * time.Minute), Actor: "tester", Seq: 9}); *a != want {
			t.Errorf("%+v", a)
		}
		for digest, want := range map[string]string{"sha256:a": "a of acme/shop", "sha256:b": "b"} {
			if text, err := r.Compose(ctx, id(shop), digest); err != nil || text != want {
				t.Errorf("%s is %q, %v", digest, text, err)
			}
		}
		if all, err := r.Applications(ctx, id(acme), "", 9); err != nil || len(all) != 1 || all[0] != *a {
			t.Errorf("%+v, %v", all, err)
		}
		e, err := r.Environments(ctx, id(shop))
		check(t, err)
		if len(e) != 1 || e[0].Name != "production" || e[0].Configuration.Version != 3 || len(e[0].Configuration.Secrets) != 0 {
			t.Errorf("%+v", e)
		}
		c, err := r.Configuration(ctx, id(production), 1)
		if err != nil || len(c.Values) != 1 || c.Values[0].Record != id(19) || c.Actor != "tester" {
			t.Errorf("%+v, %v", c, err)
		}
		releases, err := r.Releases(ctx, id(shop), 0, 9)
		check(t, err)
		one, err := r.Release(ctx, id(shop), 1)
		check(t, err)
		if len(releases) != 2 || releases[0].Number != 2 || one.Configurations[0].Version != 2 || one.Images[0].Service != "web" {
			t.Errorf("%+v, %+v", releases, one)
		}
		if needed, err := r.NeededRecords(ctx, id(production)); err != nil || !needed[id(20)] || len(needed) != 1 {
			t.Errorf("needed are %v, %v", needed, err) // release 1 is kept
		}
		if needed, err := r.NeededRecords(ctx, id(staging)); err != nil || len(needed) != 0 {
			t.Errorf("of what was deleted %v, %v", needed, err)
		}
		for _, err := range []error{second(r.Application(ctx, "acme/blog")), second(r.Compose(ctx, id(shop), "sha256:c")), second(r.Release(ctx, id(shop), 3)), second(r.Release(ctx, "x", 1)), second(r.Configuration(ctx, id(production), 4))} {
			if !errors.Is(err, deploys.ErrNotFound) {
				t.Errorf("what is not there: %v", err)
			}
		}
	})
}

// Row by row, in batches with interruptions and in bulk the log comes to the same
// rows, on either store.
func TestConverges(t *testing.T) {
	projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
		rng := projectiontest.Seed(t)
		list := append(story(), deployed()...)
		for n := range 200 {
			switch rng.IntN(4) {
			case 0:
				list = append(list, created(10+rng.IntN(5), fmt.Sprint("acme/x", rng.IntN(5))))
			case 1:
				list = append(list, configured(production, 10+n, []events.ConfigurationRecord{{Name: "A", Record: id(100 + n)}}))
			case 2:
				list = append(list, released(10+rng.IntN(5), 10+n))
			default:
				list = append(list, events.ApplicationDeleted{Namespace: id(acme), Application: id(10 + rng.IntN(5)), Name: "acme/x"})
			}
		}
		projectiontest.Converge(t, &deploys.Projection, history(list...), rng, storage)
	})
}
