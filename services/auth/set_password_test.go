package auth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"hubledger/events"
	"hubledger/services/auth"
	"hubledger/streams"
)

// A faultyLog fails to append changes of passwords: so often, with an error, and
// perhaps after all.
type faultyLog struct {
	*streams.Log
	times  int
	err    error
	stored bool
	before func()
}

func (l *faultyLog) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	if e.Type() != "user.password_changed.v1" || l.times == 0 {
		return l.Log.Append(ctx, e, expect)
	}
	l.times--
	if l.before != nil {
		l.before()
	}
	if l.stored {
		if _, err := l.Log.Append(ctx, e, expect); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("a test: %w", l.err)
}

// A password that was not said to be changed is not changed.
func TestSetPasswordWithoutItsEvent(t *testing.T) {
	const next = "alices-next-password"
	for name, c := range map[string]struct {
		log     faultyLog
		want    error
		changed bool
	}{
		"refused":            {faultyLog{times: 1, err: events.ErrNoSpace}, events.ErrNoSpace, false},
		"uncertain, not in":  {faultyLog{times: 1, err: events.ErrUncertain}, nil, true},
		"uncertain, in":      {faultyLog{times: 1, err: events.ErrUncertain, stored: true}, nil, true},
		"uncertain for good": {faultyLog{times: 100, err: events.ErrUncertain, stored: true}, events.ErrUncertain, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := withAlice(t)
			log := c.log
			log.Log = h.log
			config := h.config
			config.Log = &log
			s := auth.New(config).HashCheaply()
			login := func(password string) int {
				return serve(t, s, request(t, "GET", "/token", "", basic("alice", password))).status
			}
			session, _, err := s.Login(t.Context(), request(t, "POST", "/", "", anonymous), "alice", alicesPassword)
			check(t, err)
			if !c.changed {
				log.before = func() { // it is used in the moment in which it counts
					if got := login(next); got != 200 {
						t.Errorf("the new password was not stored first: %d", got)
					}
				}
			}
			seq, err := s.SetPassword(t.Context(), by, userID(t, h, "alice"), next)
			if c.want == nil && err != nil || !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			last, err := h.log.LastSeq(t.Context())
			check(t, err)
			check(t, h.view.Wait(t.Context(), max(seq, last)))
			right, wrong := next, alicesPassword
			if !c.changed {
				right, wrong = wrong, right
			}
			if got := login(right); got != 200 {
				t.Errorf("the password that counts: %d", got)
			}
			if got := login(wrong); got != 401 {
				t.Errorf("the one that does not: %d", got)
			}
			_, err = s.Authenticate(request(t, "GET", "/", "", bearer(session)))
			if (err != nil) != c.changed {
				t.Errorf("the session of before: %v", err)
			}
		})
	}
}

// Nor is a first password that was not said to be set.
func TestFirstPasswordWithoutItsEvent(t *testing.T) {
	h := withAlice(t)
	log := &faultyLog{Log: h.log, times: 1, err: events.ErrNoSpace}
	config := h.config
	config.Log = log
	s := auth.New(config).HashCheaply()
	id := userID(t, h, "bob")
	if _, err := s.SetPassword(t.Context(), by, id, "bobs-first-password"); !errors.Is(err, events.ErrNoSpace) {
		t.Fatal(err)
	}
	login := func() int {
		return serve(t, s, request(t, "GET", "/token", "", basic("bob", "bobs-first-password"))).status
	}
	if got := login(); got != 401 {
		t.Errorf("a password that was never set: %d", got)
	}
	h.done(s.SetPassword(t.Context(), by, id, "bobs-first-password"))
	if got := login(); got != 200 {
		t.Errorf("set again: %d", got)
	}
}

// Whoever asks for a change and goes away leaves nothing half done.
func TestSetPasswordIsBroughtToItsEnd(t *testing.T) {
	h := withAlice(t)
	ctx, leave := context.WithCancel(t.Context())
	log := &leavingLog{h.log, leave}
	config := h.config
	config.Log = log
	s := auth.New(config).HashCheaply()
	h.done(s.SetPassword(ctx, by, userID(t, h, "alice"), "alices-next-password"))
	if a := h.get(basic("alice", "alices-next-password"), nil); a.status != 200 {
		t.Errorf("%+v", a)
	}
}

// A leavingLog is asked by somebody who goes away before it does anything.
type leavingLog struct {
	*streams.Log
	leave func()
}

func (l *leavingLog) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	l.leave()
	return l.Log.Append(ctx, e, expect)
}
