package machine_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/command"
	"hubledger/services/internal/machine"
)

// A log has the latest event of each subject.
type log map[string]*events.Event

func (l log) Append(_ context.Context, e events.Event, expect uint64) (uint64, error) {
	last := uint64(0)
	if before := l[e.Subject]; before != nil {
		last = before.Seq
	}
	if expect != events.AnySeq && expect != last {
		return 0, events.ErrConflict
	}
	e.Seq = last + 1
	l[e.Subject] = &e
	return e.Seq, nil
}

func (l log) Last(_ context.Context, subject string) (*events.Event, error) { return l[subject], nil }

// Machines and MachineByToken are what the read model would say.
func (l log) Machines(context.Context, string, time.Time) ([]accounts.Machine, error) {
	return make([]accounts.Machine, len(l)), nil
}

func (l log) MachineByToken(_ context.Context, sum []byte) (*accounts.Machine, error) {
	for _, e := range l {
		p, err := events.Decode(e)
		if err != nil {
			return nil, err
		}
		if p, ok := p.(events.MachineInvited); ok && string(p.Hash) == string(sum) {
			return &accounts.Machine{ID: p.Machine, Name: p.Name, Kind: p.Kind}, nil
		}
	}
	return nil, accounts.ErrNotFound
}

var (
	by  = command.By{Source: "/test", Actor: "admin"}
	key = "U" + strings.Repeat("A", 55)
)

func invite(t *testing.T, l log, name string) string {
	t.Helper()
	token, invited, _, err := machine.Invite(t.Context(), l, by, l, events.MachineBuilder, name, nil, machine.DefaultTerm)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256([]byte(token)); string(invited.Hash) != string(sum[:]) || len(token) < 50 {
		t.Errorf("the token %s does not fit %+v", token, invited)
	}
	return token
}

// A token is good once, for its machine, until it expires or the machine is revoked;
// whatever is wrong with it, the answer is the same.
func TestToken(t *testing.T) {
	for name, c := range map[string]struct {
		before func(t *testing.T, l log, token string)
		token  string // "": the right one
		want   error
	}{
		"good":    {},
		"unknown": {token: "x", want: machine.ErrToken},
		"empty":   {token: " ", want: machine.ErrToken},
		"used": {before: func(t *testing.T, l log, token string) {
			if _, _, err := machine.Enroll(t.Context(), l, by, l, events.MachineBuilder, token, key); err != nil {
				t.Error(err)
			}
		}, want: machine.ErrToken},
		"expired": {before: func(*testing.T, log, string) { time.Sleep(machine.DefaultTerm) }, want: machine.ErrToken},
		"in time": {before: func(*testing.T, log, string) { time.Sleep(machine.DefaultTerm - 2*time.Second) }},
		"revoked": {before: func(t *testing.T, l log, _ string) {
			if _, _, err := machine.Revoke(t.Context(), l, by, events.MachineBuilder, "big"); err != nil {
				t.Error(err)
			}
		}, want: machine.ErrToken},
		"invited anew": {before: func(t *testing.T, l log, _ string) {
			time.Sleep(machine.DefaultTerm)
			invite(t, l, "big")
		}, want: machine.ErrToken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := log{}
				token := invite(t, l, "big")
				if c.before != nil {
					c.before(t, l, token)
				}
				if c.token != "" {
					token = c.token
				}
				m, _, err := machine.Enroll(t.Context(), l, by, l, events.MachineBuilder, token, key)
				if !errors.Is(err, c.want) || err == nil && (m.Name != "big" || m.Key != key || m.Kind != events.MachineBuilder) {
					t.Errorf("enrolled is %+v, %v", m, err)
				}
			})
		})
	}
}

// A name is of one machine at a time, and a machine is revoked by its name and kind.
func TestNames(t *testing.T) {
	l := log{}
	token := invite(t, l, "big")
	again := func() error {
		_, _, _, err := machine.Invite(t.Context(), l, by, l, events.MachineBuilder, "big", nil, time.Hour)
		return err
	}
	if err := again(); !errors.Is(err, machine.ErrTaken) {
		t.Errorf("the name of an invited one is given again: %v", err)
	}
	for _, bad := range []string{"", "Big", "-x", "x-", "a b", "a.b", "a/b", "é", strings.Repeat("x", 64), "local"} {
		if _, _, _, err := machine.Invite(t.Context(), l, by, l, events.MachineBuilder, bad, nil, time.Hour); !errors.Is(err, machine.ErrName) {
			t.Errorf("%q is a name: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "X" + key[1:], key[:55], key + "A", strings.ToLower(key), key[:55] + "1"} {
		if _, _, err := machine.Enroll(t.Context(), l, by, l, events.MachineBuilder, token, bad); !errors.Is(err, machine.ErrKey) {
			t.Errorf("%q is a key: %v", bad, err)
		}
	}
	if _, _, err := machine.Enroll(t.Context(), l, by, l, events.MachineBuilder, token, key); err != nil {
		t.Fatal(err)
	}
	if err := again(); !errors.Is(err, machine.ErrTaken) {
		t.Errorf("the name of an enrolled one is given again: %v", err)
	}
	if _, _, err := machine.Revoke(t.Context(), l, by, "other", "big"); !errors.Is(err, machine.ErrUnknown) {
		t.Errorf("it is revoked as one of another kind: %v", err)
	}
	if _, _, err := machine.Revoke(t.Context(), l, by, events.MachineBuilder, "big"); err != nil {
		t.Error(err)
	}
	if _, _, err := machine.Revoke(t.Context(), l, by, events.MachineBuilder, "big"); !errors.Is(err, machine.ErrUnknown) {
		t.Errorf("it is revoked twice: %v", err)
	}
	if err := again(); err != nil {
		t.Errorf("the name is not free: %v", err)
	}
	for n := len(l); n < 200; n++ {
		l[strings.Repeat("x", n)] = l[events.MachineSubject("big")]
	}
	if _, _, _, err := machine.Invite(t.Context(), l, by, l, events.MachineBuilder, "one-more", nil, time.Hour); !errors.Is(err, machine.ErrTooMany) {
		t.Errorf("one more is invited: %v", err)
	}
}
