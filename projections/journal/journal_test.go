package journal_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/images"
	"hubledger/projections/journal"
	"hubledger/projections/pgtest"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func onEveryStorage(t *testing.T, test func(t *testing.T, storage projections.Storage)) {
	projectiontest.OnEveryStorage(t, &postgres, test)
}

// keep projects a log into a journal and opens it as another process would.
func keep(t *testing.T, storage projections.Storage, log *projectiontest.Log) projections.Store {
	t.Helper()
	store, err := storage.Open(t.Context(), &journal.Projection, projections.Options{Generation: "g1", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	last, _ := log.LastSeq(t.Context())
	if err := projections.CatchUp(t.Context(), store, log, last, quiet); err != nil {
		t.Fatal(err)
	}
	reader, err := storage.Open(t.Context(), &journal.Projection, projections.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return reader
}

// strange are events that no service of ours writes, but that a log may have.
func strange() []events.Event {
	return []events.Event{
		{Subject: "evt._.x.1", Data: nil},
		{Subject: "", Attributes: []events.Attribute{}, Data: []byte("not JSON \xff\x00")},
		{Subject: "evt._.x.\xff\x00", Attributes: []events.Attribute{{Name: "ce-actor", Value: "nul\x00"}, {Name: "ce-type", Value: "\xff"}}},
		{Subject: "evt._.x.2", Attributes: []events.Attribute{{Name: "ce-time", Value: "yesterday"}, {Name: "ce-correlation", Value: strings.Repeat("c", 5000)}}},
		{Subject: "evt._.x.3", Attributes: []events.Attribute{{Name: "ce-time", Value: "0001-01-01T00:00:00.000000Z"}, {Name: "ce-id", Value: "0193AAAA-0000-7000-8000-000000000000"}}},
		{Subject: "evt._.x.4", Attributes: []events.Attribute{{Name: "", Value: ""}, {Name: "ce-actor", Value: ""}, {Name: "ce-actor", Value: "second"}, {Name: "x", Value: "y"}}},
		{Subject: "evt._.x.5", Attributes: []events.Attribute{{Name: "ce-time", Value: "9999-12-31T23:59:59.999999Z"}, {Name: "ce-type", Value: ""}, {Name: "ce-correlation", Value: ""}}},
		{Subject: "evt._.x.6", Attributes: []events.Attribute{{Name: "ce-correlation", Value: "0193aaaa-0000-7000-8000-000000000000"}, {Name: "ce-correlation", Value: "0193aaaa-0000-7000-8000-000000000001"}}},
	}
}

func TestNothingIsLost(t *testing.T) {
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
		ctx := t.Context()
		log := projectiontest.RegistryEvents(projectiontest.Seed(t), 100, 1)
		for _, e := range strange() {
			log.Append(e)
		}
		db := keep(t, storage, log).DB()
		last, _ := log.LastSeq(ctx)
		if got, err := (journal.Source{DB: db}).LastSeq(ctx); err != nil || got != last {
			t.Fatalf("last %d of %d, %v", got, last, err)
		}
		var copied []events.Event
		enough := errors.New("enough")
		err := journal.Source{DB: db}.Follow(ctx, 0, 7, func(batch []events.Event) error {
			if len(batch) > 7 {
				t.Errorf("batch of %d", len(batch))
			}
			if copied = append(copied, batch...); len(copied) == int(last) {
				return enough
			}
			return nil
		})
		if err != enough {
			t.Fatal(err)
		}
		err = log.Follow(ctx, 0, int(last), func(batch []events.Event) error {
			for i, want := range batch {
				same(t, &want, &copied[i])
				one, err := journal.Event(ctx, db, want.Seq)
				if err != nil {
					t.Fatal(err)
				}
				same(t, &want, &one.Event)
				leaf, err := journal.Leaf(ctx, db, want.Seq)
				if err != nil || leaf != events.LeafOf(&want) || one.Leaf != leaf {
					t.Errorf("leaf of event %d: %x, %v", want.Seq, leaf, err)
				}
			}
			return enough
		})
		if err != enough {
			t.Fatal(err)
		}
		if _, err := journal.Event(ctx, db, last+1); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("an event that is not there: %v", err)
		}
		if _, err := journal.Leaf(ctx, db, last+1); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("a leaf that is not there: %v", err)
		}
	})
}

func same(t *testing.T, want, got *events.Event) {
	t.Helper()
	if len(want.Attributes) == 0 && len(got.Attributes) == 0 && want.Subject == got.Subject && string(want.Data) == string(got.Data) {
		return
	}
	if want.Seq != got.Seq || want.Subject != got.Subject || string(want.Data) != string(got.Data) || !reflect.DeepEqual(want.Attributes, got.Attributes) {
		t.Errorf("event %d came back as\n%.500q %.500q\nwant\n%.500q %.500q", want.Seq, got.Subject, got.Attributes, want.Subject, want.Attributes)
	}
}

func TestList(t *testing.T) {
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
		ctx := t.Context()
		log := projectiontest.RegistryEvents(projectiontest.Seed(t), 200, 0)
		db := keep(t, storage, log).DB()
		var all []events.Event
		stop := errors.New("stop")
		log.Follow(ctx, 0, 1000, func(batch []events.Event) error { all = batch; return stop })
		some := all[len(all)/2]
		for name, f := range map[string]journal.Filter{
			"all":         {},
			"newest":      {NewestFirst: true},
			"subject":     {Subject: some.Subject},
			"prefix":      {Subject: some.Subject[:len(some.Subject)/2], NewestFirst: true},
			"type":        {Type: "image.pushed.v1"},
			"actor":       {Actor: "alice", NewestFirst: true},
			"correlation": {Correlation: some.Correlation()},
			"two":         {Type: "image.pushed.v1", Actor: "anonymous"},
			"none":        {Type: "no.such.v1"},
		} {
			var want, got []uint64
			for i := range all {
				e := &all[i]
				if f.NewestFirst {
					e = &all[len(all)-1-i]
				}
				if strings.HasPrefix(e.Subject, f.Subject) && (f.Type == "" || e.Type() == f.Type) && (f.Actor == "" || e.Actor() == f.Actor) &&
					(f.Correlation == "" || e.Correlation() == f.Correlation) {
					want = append(want, e.Seq)
				}
			}
			if (len(want) == 0) != (name == "none") {
				t.Fatalf("%s: the history has %d such events", name, len(want))
			}
			f.Limit = 7
			for {
				page, err := journal.List(ctx, db, f)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) > f.Limit {
					t.Fatalf("%s: a page of %d", name, len(page))
				}
				if len(page) == 0 {
					break
				}
				for _, e := range page {
					got = append(got, e.Seq)
				}
				f.After = got[len(got)-1]
			}
			if !reflect.DeepEqual(want, got) {
				t.Errorf("%s: listed %v, want %v", name, got, want)
			}
		}
		own, err := journal.ByAggregate(ctx, db, some.Subject)
		if err != nil || len(own) == 0 {
			t.Fatal(own, err)
		}
		for i := range own {
			if own[i].Subject != some.Subject || i > 0 && own[i].Seq <= own[i-1].Seq {
				t.Errorf("the aggregate's event %d is %d on %s", i, own[i].Seq, own[i].Subject)
			}
		}
	})
}

// TestBuildFromJournal: another read model built from the journal is the one
// built from the log.
func TestBuildFromJournal(t *testing.T) {
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
		log := projectiontest.RegistryEvents(projectiontest.Seed(t), 300, 0)
		reader := keep(t, storage, log)
		build := func(source projections.Source, b projections.Build) string {
			cfg := bulk.Config{Projection: &images.Projection, Storage: storage, Build: b, Source: source, Generation: reader.Generation(), Logger: quiet}
			if err := bulk.Prepare(t.Context(), cfg, nil); err != nil {
				t.Fatal(err)
			}
			store, err := storage.Open(t.Context(), &images.Projection, projections.Options{Build: b, Logger: quiet})
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			return projectiontest.Dump(t, store)
		}
		projectiontest.Same(t, "from the journal", build(log, projections.Live), build(journal.Source{DB: reader.DB()}, projections.Next))
	})
}

// TestSourceNoticesGaps: a journal that lacks an event is no log.
func TestSourceNoticesGaps(t *testing.T) {
	storage := sqlitestore.Dir(t.TempDir())
	log := &projectiontest.Log{}
	log.Append(events.Event{Subject: "evt._.x.1"})
	log.Append(events.Event{Subject: "evt._.x." + strings.Repeat("long", 1000)}) // parked: too long for an index
	log.Append(events.Event{Subject: "evt._.x.3"})
	db := keep(t, storage, log).DB()
	err := journal.Source{DB: db}.Follow(context.Background(), 0, 10, func([]events.Event) error { return nil })
	if !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("a gap: %v", err)
	}
}
