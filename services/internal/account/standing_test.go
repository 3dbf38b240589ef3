package account_test

import (
	"context"
	"errors"
	"testing"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
)

// faster is a log where another writer is faster with the first append.
type faster struct {
	command.Log
	write func()
}

func (f *faster) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	if write := f.write; write != nil {
		f.write = nil
		write()
	}
	return f.Log.Append(ctx, e, expect)
}

// Who is made an administrator stays disabled, also when that was decided at the
// same moment.
func TestChangeStanding(t *testing.T) {
	d, ctx := open(t), t.Context()
	user, yes, no := id(1), true, false
	read := &people{admins: true, users: []accounts.Account{{ID: user, Name: "alice", Kind: accounts.KindUser}}}
	caughtUp := func(context.Context, uint64) error { return nil }
	log := &faster{d.log, func() {
		d.appends("disable", func() (uint64, error) { return account.SetStanding(ctx, d.log, by, read, user, false, true) })
		read.users[0].Disabled = true
	}}
	if _, err := account.ChangeStanding(ctx, log, by, read, caughtUp, user, &yes, nil); err != nil {
		t.Fatal(err)
	}
	p, _, err := command.Latest(ctx, d.log, events.UserSubject(user))
	if want := (events.UserStandingChanged{User: user, Admin: true, Disabled: true}); err != nil || p != want {
		t.Errorf("%+v, %v", p, err)
	}
	behind := func(_ context.Context, seq uint64) error { return &command.UnreadableError{Seq: seq} }
	var made *command.UnreadableError
	if _, err := account.ChangeStanding(ctx, d.log, by, read, behind, user, nil, &no); !errors.Is(err, access.ErrStale) || errors.As(err, &made) {
		t.Errorf("behind the log: %v", err)
	}
	read.admins = false
	d.refuses("the last administrator", account.ErrLastAdmin, func() (uint64, error) {
		return account.ChangeStanding(ctx, d.log, by, read, caughtUp, user, &no, nil)
	})
	d.appends("erase", func() (uint64, error) { return account.Erase(ctx, d.log, by, &people{admins: true}, user) })
	d.refuses("who was erased", account.ErrErased, func() (uint64, error) {
		return account.ChangeStanding(ctx, d.log, by, read, caughtUp, user, &yes, nil)
	})
}
