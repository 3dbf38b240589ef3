package projections_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/projectiontest"
)

func TestPoisonParksItsAggregateOnly(t *testing.T) {
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
		ctx := t.Context()
		var log projectiontest.Log
		good := step{Writes: []write{{Table: "current", Key: 1, Text: "x"}}}
		bad := func(change func(e *events.Event)) events.Event {
			e := good.Event("bad")
			change(&e)
			return e
		}
		type expectation struct {
			event  events.Event
			parked string // part of the reason, "" when applied
		}
		list := []expectation{
			{good.Event("a"), ""},
			{step{Poison: "error"}.Event("e"), "poison"},
			{step{Poison: "panic"}.Event("p"), "panic: poison"},
			{good.Event("e"), "event 2"},
			{good.Event("a"), ""},
			{bad(func(e *events.Event) { e.Subject += "1"; e.Set(events.AttrType, "synthetic.step.v2") }), "synthetic.step.v2"},
			{bad(func(e *events.Event) { e.Subject += "2"; e.Set(events.AttrSpecVersion, "2.0") }), "ce-specversion"},
			{bad(func(e *events.Event) { e.Subject += "3"; e.Data = []byte("{") }), "JSON"},
			{bad(func(e *events.Event) { e.Subject += "4\x00\xff"; e.Set(events.AttrType, "nul\x00") }), "type"},
			{bad(func(e *events.Event) { e.Subject += "5"; e.Set(events.AttrType, "other.fact.v9") }), ""}, // another family
			{step{Writes: []write{{Table: "no such table"}}}.Event("t"), "cannot"},
		}
		for _, x := range list {
			log.Append(x.event)
		}
		check := func(what string, r *projections.Runner) {
			for i, x := range list {
				err := r.Wait(ctx, uint64(i)+1)
				if x.parked == "" && err != nil || x.parked != "" && (!errors.Is(err, projections.ErrParked) || !strings.Contains(err.Error(), x.parked)) {
					t.Errorf("%s: event %d: %v, want parked for %q", what, i+1, err, x.parked)
				}
				if got := r.IsParked(x.event.Subject); got != (x.parked != "") {
					t.Errorf("%s: subject %q parked: %v", what, x.event.Subject, got)
				}
			}
			parked, err := r.Parked(ctx)
			if err != nil || len(parked) != 8 || !r.HasParked() || parked[0].Seq != 2 || parked[0].Type != projectiontest.StepType {
				t.Errorf("%s: parked %+v, %v", what, parked, err)
			}
		}
		store := open(t, storage, synthetic, projections.Options{})
		r, stop := start(t, store, &log, nil)
		check("live", r)
		stop()
		r, stop = start(t, store, &log, nil)
		check("after a restart", r)
		stop()
		if err := bulk.Rebuild(ctx, rebuildNext(storage, synthetic, &log), nil); err != nil {
			t.Fatal(err)
		}
		next := open(t, storage, synthetic, projections.Options{Build: projections.Next})
		r, _ = start(t, next, &log, nil)
		check("rebuilt", r)
		projectiontest.Same(t, "rebuilt", dump(t, store), dump(t, next))
	})
}

// TestStoreRefusal: what only the store finds wrong is parked, event by event.
func TestStoreRefusal(t *testing.T) {
	onEveryTamperedStorage(t, func(t *testing.T, storage projections.Storage, do tamper, refuse string) {
		store := open(t, storage, synthetic, projections.Options{})
		do(t, refuse)
		var log projectiontest.Log
		for i := range 20 {
			note := "good"
			if i == 7 {
				note = "bad"
			}
			log.Append(step{Writes: []write{{Table: "current", Key: int64(i), Text: note}}}.Event(string(rune('a' + i))))
		}
		log.Append(step{Poison: "error"}.Event("poison"))
		if err := projections.CatchUp(t.Context(), store, &log, 21, quiet); err != nil {
			t.Fatal(err)
		}
		var rows int
		if err := store.DB().QueryRow(`SELECT count(*) FROM current`).Scan(&rows); err != nil || rows != 19 {
			t.Errorf("%d rows, %v", rows, err)
		}
		r, _ := start(t, store, &log, nil)
		if err := r.Wait(t.Context(), 8); !errors.Is(err, projections.ErrParked) {
			t.Errorf("the refused event: %v", err)
		}
		if parked, err := r.Parked(t.Context()); err != nil || len(parked) != 2 || parked[0].Seq != 8 || parked[1].Reason != "poison" {
			t.Errorf("parked %+v, %v", parked, err)
		}
	})
}

// TestTroubleIsNotPoison: what another try may cure is tried again and parks nothing.
func TestTroubleIsNotPoison(t *testing.T) {
	onEveryTamperedStorage(t, func(t *testing.T, storage projections.Storage, do tamper, _ string) {
		store := open(t, storage, synthetic, projections.Options{})
		var log projectiontest.Log
		failed := make(chan struct{}, 100)
		ctx, cancel := context.WithCancel(t.Context())
		r := projections.NewRunner(projections.RunnerConfig{Store: store, Source: &log, Logger: slog.New(onError{failed})})
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		if err := r.Wait(ctx, log.Append(step{Writes: []write{{Table: "current", Key: 1}}}.Event("a"))); err != nil {
			t.Fatal(err)
		}
		do(t, `ALTER TABLE current RENAME TO gone`)
		seq := log.Append(step{Writes: []write{{Table: "current", Key: 2}}}.Event("a"))
		<-failed
		<-failed
		if r.Position() >= seq {
			t.Errorf("position %d although the table is gone", r.Position())
		}
		do(t, `ALTER TABLE gone RENAME TO current`)
		if err := r.Wait(ctx, seq); err != nil {
			t.Errorf("after the trouble: %v", err)
		}
		if r.HasParked() {
			t.Error("trouble was parked")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// onError is a log handler that reports each error.
type onError struct{ to chan<- struct{} }

func (o onError) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (o onError) WithAttrs([]slog.Attr) slog.Handler           { return o }
func (o onError) WithGroup(string) slog.Handler                { return o }
func (o onError) Handle(context.Context, slog.Record) error {
	select {
	case o.to <- struct{}{}:
	default:
	}
	return nil
}
