package trigger_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/trigger"
	"hubledger/streams/streamtest"
)

var (
	by    = command.By{Source: "/test", Actor: "tester"}
	app   = repository.ID{Namespace: "0191d1a0-0000-7000-8000-000000000001", Repository: "0191d1a0-0000-7000-8000-000000000002"}
	other = repository.ID{Namespace: app.Namespace, Repository: "0191d1a0-0000-7000-8000-000000000003"}
)

// listed is so many triggers.
type listed int

func (n listed) Triggers(context.Context, string) ([]builds.Trigger, error) {
	return make([]builds.Trigger, n), nil
}

// Of several that delete a trigger at once one does, in one event.
func TestCreateAndDelete(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	if _, _, err := trigger.Create(ctx, log, by, listed(20), app, "one too many"); !errors.Is(err, trigger.ErrTooMany) {
		t.Errorf("beyond the bound: %v", err)
	}
	secret, seq, err := trigger.Create(ctx, log, by, listed(19), app, "nightly")
	if err != nil {
		t.Fatal(err)
	}
	e, err := log.Get(ctx, seq)
	if err != nil {
		t.Fatal(err)
	}
	p, err := events.Decode(e)
	made, ok := p.(events.TriggerCreated)
	if err != nil || !ok || made.Name != "nightly" || string(made.Hash) != string(secret.Hash()) {
		t.Fatalf("created is %+v, %v", p, err)
	}
	for what, err := range map[string]error{
		"of another repository": second(trigger.Delete(ctx, log, by, other, made.Trigger)),
		"an unknown one":        second(trigger.Delete(ctx, log, by, app, other.Repository)),
		"any of them":           second(trigger.Delete(ctx, log, by, app, "*")),
		"none":                  second(trigger.Delete(ctx, log, by, app, "")),
		"written otherwise":     second(trigger.Delete(ctx, log, by, app, "{"+made.Trigger+"}")),
	} {
		if !errors.Is(err, trigger.ErrUnknown) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var wait sync.WaitGroup
	errs := make([]error, 8)
	for k := range errs {
		wait.Go(func() { _, errs[k] = trigger.Delete(ctx, log, by, app, made.Trigger) })
	}
	wait.Wait()
	deleted := 0
	for _, err := range errs {
		if err == nil {
			deleted++
		} else if !errors.Is(err, trigger.ErrUnknown) {
			t.Error(err)
		}
	}
	if last, err := log.LastSeq(ctx); deleted != 1 || err != nil || last != seq+1 {
		t.Errorf("%d have deleted it, and the log ends at %d, %v", deleted, last, err)
	}
}

func second[T any](_ T, err error) error { return err }
