package eventlog_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/bulk"
	"hubledger/projections/journal"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
	"hubledger/projections/trail"
	"hubledger/services/internal/access"
	"hubledger/services/internal/eventlog"
	"hubledger/services/internal/eventquery"
	"hubledger/services/internal/service"
)

// A busy is a log of last events by a hundred people, a second apart, in a thousand
// repositories. One in ten pushes an image and the others set tags, since most events say
// little: with as many manifests as events the log would be several times as large.
// Each event led to the next one, from one push to the one after it.
type busy struct {
	last         uint64
	repositories []events.ImagePushed // one push of each
}

const pushEvery = 10

func newBusy(b *testing.B, last uint64) busy {
	log := busy{last: last}
	for seq := range uint64(1000) {
		e := projectiontest.Image(seq)
		p, err := events.Decode(&e)
		check(b, err)
		log.repositories = append(log.repositories, p.(events.ImagePushed))
	}
	return log
}

func (log busy) LastSeq(context.Context) (uint64, error) { return log.last, nil }

func (log busy) Follow(ctx context.Context, after uint64, max int, fn func([]events.Event) error) error {
	for seq := after + 1; seq <= log.last; {
		batch := make([]events.Event, 0, max)
		for ; len(batch) < max && seq <= log.last; seq++ {
			batch = append(batch, log.event(seq))
		}
		if err := fn(batch); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

func (log busy) event(seq uint64) events.Event {
	e := log.fact(seq)
	e.Set(events.AttrActor, fmt.Sprintf("user%d", seq/pushEvery%100))
	e.Set(events.AttrTime, time.Date(2026, 1, 1, 0, 0, int(seq), 0, time.UTC).Format(events.TimeLayout))
	if first := seq / pushEvery * pushEvery; first > 0 {
		e.Set(events.AttrCorrelation, log.id(first))
		if seq > first {
			e.Set(events.AttrCause, log.id(seq-1))
		}
	}
	return e
}

func (log busy) id(seq uint64) string {
	e := log.fact(seq)
	return e.ID()
}

func (log busy) fact(seq uint64) events.Event {
	var e events.Event
	if seq%pushEvery == 0 {
		e = projectiontest.Image(seq)
	} else {
		r, tag := log.repositories[seq%1000], fmt.Sprintf("v1.%d", seq/1000)
		e = projectiontest.Envelope(events.Event{Seq: seq, Subject: events.TagSubject(r.Namespace, r.Repository, tag),
			Data: fmt.Appendf(nil, `{"namespace":"%s","repository":"%s","tag":"%s","digest":"%s"}`, r.Namespace, r.Repository, tag, r.Digest)}, "image.tagged.v1")
	}
	return e
}

// holds answers with fixed rights.
type holds access.Holdings

func (h holds) Holdings(context.Context, access.Principal) (access.Holdings, error) {
	return access.Holdings(h), nil
}

// BenchmarkPage reads pages of a log of HUBLEDGER_EVENTS events, or 50,000: the time of a
// page should hardly grow with the log.
func BenchmarkPage(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("HUBLEDGER_EVENTS"))
	if err != nil {
		n = 50_000
	}
	ctx := b.Context()
	log, dir := newBusy(b, uint64(n)), sqlitestore.Dir(b.TempDir())
	open := func(p *projections.Projection, source projections.Source) projections.Store {
		check(b, bulk.Rebuild(ctx, bulk.Config{Projection: p, Storage: dir, Source: source, Generation: "g1", Logger: slog.Default()}, nil))
		store, err := dir.Open(ctx, p, projections.Options{Generation: "g1", Logger: projectiontest.Quiet})
		check(b, err)
		b.Cleanup(func() { check(b, store.Close()) })
		return store
	}
	begin := time.Now()
	found, kept, people := open(&trail.Projection, log), open(&journal.Projection, log), open(&accounts.Projection, projectiontest.Images(0))
	b.Logf("%d events in %v", n, time.Since(begin).Round(time.Second))
	reader := func(h access.Holdings) *eventlog.Reader {
		return eventlog.New(eventlog.Config{Trail: found.DB(), Journal: kept.DB(), Position: func() uint64 { return uint64(n) }, CatchUp: func(context.Context) {},
			Accounts: accounts.Reader{DB: people.DB()}, Rights: holds(h),
			Teller: func(context.Context) func(*events.Event) service.Text {
				return func(e *events.Event) service.Text { return service.Say(e.Type()) }
			}})
	}
	middle := log.event(uint64(n) / 2 / pushEvery * pushEvery)
	p, err := events.Decode(&middle)
	check(b, err)
	pushed := p.(events.ImagePushed)
	all := access.Holdings{All: true, Whole: true, Level: access.Admin}
	few := access.Holdings{Level: access.Admin, Whole: true, Repositories: map[string]access.Level{pushed.Repository: access.Read}}
	// They have so many events that a page ends before all were looked through, but stand far apart.
	some := access.Holdings{Level: access.Admin, Whole: true, Repositories: map[string]access.Level{}}
	for _, r := range log.repositories[:20] {
		some.Repositories[r.Repository] = access.Read
	}
	for _, c := range []struct {
		name, query string
		holds       access.Holdings
		nothing     bool // is found
	}{
		{"newest", "", all, false},
		{"actor", "actor:user7", all, false},
		{"type and actor", "type:image.pushed actor:user7", all, false},
		{"digest", "digest:" + pushed.Digest.String(), all, false},
		{"aggregate", "aggregate:" + middle.Subject, all, false},
		{"before", "before:2026-01-01T01:00:00Z", all, false},
		{"nothing matches", "-type:image.*", all, true},
		{"reader of one repository", "", few, false},
		{"reader of one repository, digest", "digest:" + pushed.Digest.String(), few, false},
		{"reader of one repository, nothing matches", "-type:image.*", few, true},
		{"reader of twenty repositories, nothing matches", "-type:image.*", some, true},
		{"reader of twenty repositories, no such actor", "actor:nobody", some, true},
		{"reader of twenty repositories, all but one actor's and images", "-type:image.* -actor:user7", some, true},
		{"reader of twenty repositories, no such subject", "aggregate:evt.none.*", some, true},
	} {
		q, err := eventquery.Parse(c.query)
		check(b, err)
		r := reader(c.holds)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				page, err := r.Page(ctx, access.Principal{}, q, eventlog.Options{Limit: 50})
				check(b, err)
				if len(page.Events) == 0 && page.Next == 0 && !c.nothing {
					b.Fatal("nothing was found")
				}
			}
		})
	}
	for name, asked := range map[string]string{"why, of a digest": pushed.Digest.String(), "why, of an event": log.id(uint64(n)/2/pushEvery*pushEvery + 5)} {
		r := reader(all)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ref, err := r.Find(ctx, access.Principal{}, asked)
				check(b, err)
				chain, err := r.Why(ctx, access.Principal{}, ref)
				check(b, err)
				if len(chain.Steps) < pushEvery {
					b.Fatalf("a chain of %d", len(chain.Steps))
				}
			}
		})
	}
}
