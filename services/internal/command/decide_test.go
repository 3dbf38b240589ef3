package command_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/streams/streamtest"
)

var decider = command.By{Source: "/test", Actor: "tester"}

const someID = "0191d1a0-0000-7000-8000-000000000001"

func standing(admin bool) events.UserStandingChanged {
	return events.UserStandingChanged{User: someID, Admin: admin}
}

// A racer is a log where another writer is faster a number of times.
type racer struct {
	command.Log
	t     *testing.T
	wins  int // of the other writer
	fails error
	asked int // appends
}

func (r *racer) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	r.asked++
	if r.fails != nil {
		return 0, r.fails
	}
	if r.wins > 0 {
		r.wins--
		if _, err := command.Append(ctx, r.Log, decider, standing(false), events.AnySeq); err != nil {
			r.t.Error(err)
		}
	}
	return r.Log.Append(ctx, e, expect)
}

func TestDecide(t *testing.T) {
	refused, broken := errors.New("refused"), errors.New("broken")
	always := func(events.Payload, uint64) (events.Payload, error) { return standing(true), nil }
	unlessSaid := func(last events.Payload, _ uint64) (events.Payload, error) {
		if last != nil {
			return nil, nil
		}
		return standing(true), nil
	}
	for name, c := range map[string]struct {
		before []events.Payload
		wins   int
		fails  error
		next   func(events.Payload, uint64) (events.Payload, error)
		seq    uint64
		err    error
		asked  int
	}{
		"first event":                 {next: always, seq: 1, asked: 1},
		"behind another":              {before: []events.Payload{standing(false)}, next: always, seq: 2, asked: 1},
		"nothing to do":               {before: []events.Payload{standing(true)}, next: unlessSaid, seq: 1},
		"nothing to do and no event":  {next: func(events.Payload, uint64) (events.Payload, error) { return nil, nil }},
		"refused":                     {next: func(events.Payload, uint64) (events.Payload, error) { return nil, refused }, err: refused},
		"another writer is faster":    {wins: 3, next: always, seq: 4, asked: 4},
		"the other one said the same": {wins: 1, next: unlessSaid, seq: 1, asked: 1},
		"others are faster for ever":  {wins: 100, next: always, err: events.ErrConflict, asked: 8},
		"the log fails":               {fails: broken, next: always, err: broken, asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			log, ctx := streamtest.Open(t, ""), t.Context()
			for _, p := range c.before {
				if _, err := command.Append(ctx, log, decider, p, events.AnySeq); err != nil {
					t.Fatal(err)
				}
			}
			r := &racer{Log: log, t: t, wins: c.wins, fails: c.fails}
			seq, err := command.Decide(ctx, r, decider, standing(true).Subject(), c.next)
			if seq != c.seq || !errors.Is(err, c.err) || r.asked != c.asked {
				t.Errorf("event %d, %v after %d appends; want event %d, %v after %d", seq, err, r.asked, c.seq, c.err, c.asked)
			}
		})
	}
}

// Who has seen something else than there is now is told who has changed it, unless what is
// wanted is so already.
func TestDecideSeen(t *testing.T) {
	refused := errors.New("refused")
	at := func(seq uint64) *uint64 { return &seq }
	appends := func(events.Payload, uint64) (events.Payload, error) { return standing(true), nil }
	for name, c := range map[string]struct {
		before int // events of the subject
		seen   *uint64
		next   func(events.Payload, uint64) (events.Payload, error)
		err    error
		by     uint64 // sequence that a *command.ChangedError names
	}{
		"nothing was looked at":              {before: 2, next: appends},
		"the latest was seen":                {before: 2, seen: at(2), next: appends},
		"none was seen, and none is there":   {seen: at(0), next: appends},
		"somebody was faster":                {before: 2, seen: at(1), next: appends, err: command.ErrChanged, by: 2},
		"none was seen, and one is there":    {before: 1, seen: at(0), next: appends, err: command.ErrChanged, by: 1},
		"one was seen, and none is there":    {seen: at(7), next: appends, err: command.ErrChanged},
		"somebody was faster and it is so":   {before: 2, seen: at(1), next: func(events.Payload, uint64) (events.Payload, error) { return nil, nil }},
		"somebody was faster and it is bad":  {before: 2, seen: at(1), next: func(events.Payload, uint64) (events.Payload, error) { return nil, refused }, err: command.ErrChanged, by: 2},
		"the latest was seen, and it is bad": {before: 2, seen: at(2), next: func(events.Payload, uint64) (events.Payload, error) { return nil, refused }, err: refused},
	} {
		t.Run(name, func(t *testing.T) {
			log, ctx := streamtest.Open(t, ""), t.Context()
			for range c.before {
				if _, err := command.Append(ctx, log, decider, standing(false), events.AnySeq); err != nil {
					t.Fatal(err)
				}
			}
			_, err := command.DecideSeen(ctx, log, decider, standing(true).Subject(), c.seen, c.next)
			var changed *command.ChangedError
			if !errors.Is(err, c.err) || errors.As(err, &changed) != (c.err == command.ErrChanged) {
				t.Fatal(err)
			}
			if changed != nil && (changed.Seq != c.by || c.by > 0 && (changed.By != decider.Actor || changed.At.IsZero() || !strings.Contains(err.Error(), "tester changed it at "))) {
				t.Errorf("%+v: %v", changed, err)
			}
		})
	}
}

// What next is given is the latest event with its own sequence.
func TestDecideSeesTheLatest(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	for _, admin := range []bool{false, true} {
		if _, err := command.Append(ctx, log, decider, standing(admin), events.AnySeq); err != nil {
			t.Fatal(err)
		}
	}
	_, err := command.Decide(ctx, log, decider, standing(true).Subject(), func(last events.Payload, seq uint64) (events.Payload, error) {
		if last != events.Payload(standing(true)) || seq != 2 {
			t.Errorf("%+v at %d", last, seq)
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Of many who want one thing to happen once, all get the same event.
func TestDecideAtOnce(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	var work sync.WaitGroup
	seqs := make([]uint64, 16)
	for k := range seqs {
		work.Go(func() {
			var err error
			seqs[k], err = command.Decide(ctx, log, decider, standing(true).Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
				if last != nil {
					return nil, nil
				}
				return standing(true), nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	for _, seq := range seqs {
		if seq != 1 {
			t.Errorf("sequences %v", seqs)
			break
		}
	}
}

// What was redacted did not happen, to decisions as to read models; the append follows it all
// the same.
func TestDecideAfterRedaction(t *testing.T) {
	for name, c := range map[string]struct {
		redact []uint64
		last   events.Payload
		seq    uint64
	}{
		"the latest":     {[]uint64{3}, standing(true), 2},
		"the last two":   {[]uint64{2, 3}, standing(false), 1},
		"an earlier one": {[]uint64{2}, standing(false), 3},
		"all":            {[]uint64{1, 2, 3}, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			log, ctx := streamtest.Open(t, ""), t.Context()
			for _, admin := range []bool{false, true, false} {
				if _, err := command.Append(ctx, log, decider, standing(admin), events.AnySeq); err != nil {
					t.Fatal(err)
				}
			}
			log = streamtest.Redacted(t, log, c.redact...)
			seq, err := command.Decide(ctx, log, decider, standing(true).Subject(), func(last events.Payload, seq uint64) (events.Payload, error) {
				if last != c.last || seq != c.seq {
					t.Errorf("decided on %+v at %d, want %+v at %d", last, seq, c.last, c.seq)
				}
				return standing(true), nil
			})
			if err != nil || seq != 4 {
				t.Errorf("event %d, %v", seq, err)
			}
		})
	}
}
