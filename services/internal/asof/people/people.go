// Package people says who was a member of what, and who had which rights, in a namespace at
// an earlier time: it makes the accounts read model anew of the few events that matter.
package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/journal"
	"hubledger/projections/sqlitestore"
	"hubledger/services/internal/asof"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
)

// ErrTooMany: a namespace has too many events to look back.
var ErrTooMany = errors.New("this namespace has too many events to look back in a moment: `hubledger projections at accounts WHEN DIR` builds the whole read model into a file")

// maxEvents bounds the events that are looked at.
const maxEvents = 200_000

// A Past makes accounts as they were. All fields are required.
type Past struct {
	Journal  projections.DB
	Accounts accounts.Reader // as they are
	Times    asof.Log
	// Places bounds how many are made at the same time: its capacity.
	Places chan struct{}
}

// A Then is the accounts of a namespace as they were: its members, teams, robot accounts,
// repositories and grants, and the users that these name. It has nothing of others. Close
// has to be called.
type Then struct {
	accounts.Reader
	Seq   uint64 // of the event that was the last
	store projections.Store
	dir   string
}

// Close removes what was made.
func (t *Then) Close() error { return errors.Join(t.store.Close(), os.RemoveAll(t.dir)) }

// At is what a namespace, as it is now, had at a point in time as people write it; also are ids
// of users that are to be known beside those that have something there. asof.ErrPoint,
// asof.ErrFuture, ErrTooMany.
func (p Past) At(ctx context.Context, ns *accounts.Namespace, when string, also ...string) (*Then, error) {
	point, err := asof.Parse(when)
	if err != nil {
		return nil, err
	}
	seq, err := p.Times.Last(ctx, point)
	if err != nil {
		return nil, err
	}
	return p.after(ctx, ns, seq, also)
}

// Now is what it has now. ErrTooMany.
func (p Past) Now(ctx context.Context, ns *accounts.Namespace) (*Then, error) {
	seq, err := p.Times.End.LastSeq(ctx)
	if err != nil {
		return nil, err
	}
	return p.At(ctx, ns, asof.Point{Seq: max(seq, 1)}.String())
}

// after is what a namespace had when an event was the last of the log.
func (p Past) after(ctx context.Context, ns *accounts.Namespace, seq uint64, also []string) (*Then, error) {
	// Whoever asks has their turn; a list that is as of now costs much less.
	leave, err := budget.Of(ctx).Part(ctx, budget.Heavy)
	if err != nil {
		return nil, err
	}
	defer leave()
	select {
	case p.Places <- struct{}{}:
		defer func() { <-p.Places }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	list, err := p.events(ctx, ns, seq, also)
	if err != nil {
		return nil, err
	}
	t := &Then{Seq: seq}
	if t.dir, err = os.MkdirTemp("", "hubledger-past-"); err != nil {
		return nil, err
	}
	if t.store, err = build(ctx, t.dir, list); err != nil {
		return nil, errors.Join(err, os.RemoveAll(t.dir))
	}
	t.Reader = accounts.Reader{DB: t.store.DB()}
	return t, nil
}

// events are those that matter, up to one, in the order of the log.
func (p Past) events(ctx context.Context, ns *accounts.Namespace, seq uint64, also []string) (list []events.Event, err error) {
	own := events.SubjectPrefix + ns.ID + "."
	seen := map[string]bool{}
	take := func(subject string) error {
		if seen[subject] {
			return nil
		}
		seen[subject] = true
		return p.each(ctx, subject, seq, func(e events.Event) error {
			if list = append(list, e); len(list) > maxEvents {
				return ErrTooMany
			}
			return nil
		})
	}
	for _, subject := range []string{events.HubSubject(), events.NamespaceSubject(ns.Name), own + "membership.", own + "team.", own + "robot.", own + "grant.", own + "repository."} {
		if err := take(subject); err != nil {
			return nil, err
		}
	}
	users := map[string]bool{}
	for _, id := range also {
		users[id] = true
	}
	if ns.Kind == events.KindUser {
		users[ns.ID] = true
	}
	for k := range list {
		switch e, _ := events.Decode(&list[k]); e := e.(type) { // a redacted one names nobody
		case events.MembershipGranted:
			users[e.User] = true
		case events.GrantGiven:
			users[e.Grantee] = users[e.Grantee] || e.GranteeKind == events.GranteeUser
		}
	}
	for user, is := range users {
		if !is {
			continue
		}
		a, err := p.Accounts.AccountByID(ctx, user) // a name never changes
		if errors.Is(err, accounts.ErrNotFound) {
			continue
		}
		if err == nil {
			err = errors.Join(take(events.NamespaceSubject(a.Name)), take(events.UserSubject(user)))
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b events.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return list, nil
}

// each calls fn with the events of a subject, or of all that begin with it, that the accounts
// read model takes, up to one of them.
func (p Past) each(ctx context.Context, subject string, last uint64, fn func(events.Event) error) error {
	for after := uint64(0); ; {
		page, err := journal.List(ctx, p.Journal, journal.Filter{Subject: subject, After: after, Limit: 1000})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, e := range page {
			if after = e.Seq; after > last {
				return nil
			}
			if slices.Contains(accounts.Projection.Types, e.Type()) {
				if err := fn(e.Event); err != nil {
					return err
				}
			}
		}
	}
}

// build makes the read model of some events of the log.
func build(ctx context.Context, dir string, list []events.Event) (projections.Store, error) {
	// The log of a read model has no gaps: what is built numbers the events anew, and its
	// rows have their own numbers all the same.
	p := accounts.Projection
	p.Apply = func(e *events.Event, ops *projections.Ops) error {
		return accounts.Projection.Apply(&list[e.Seq-1], ops)
	}
	quiet := slog.New(slog.DiscardHandler)
	store, err := sqlitestore.Dir(dir).Open(ctx, &p, projections.Options{Logger: quiet})
	if err != nil || len(list) == 0 {
		return store, err
	}
	if err := projections.CatchUp(ctx, store, source(list), uint64(len(list)), quiet); err != nil {
		return nil, errors.Join(fmt.Errorf("look back: %w", err), store.Close())
	}
	return store, nil
}

// A source is a log of some events, numbered from 1.
type source []events.Event

// LastSeq implements projections.Source.
func (s source) LastSeq(context.Context) (uint64, error) { return uint64(len(s)), nil }

// Follow implements projections.Source.
func (s source) Follow(ctx context.Context, after uint64, most int, fn func([]events.Event) error) error {
	for after < uint64(len(s)) {
		batch := slices.Clone(s[after:min(after+uint64(most), uint64(len(s)))])
		for k := range batch {
			after++
			batch[k].Seq = after
		}
		if err := fn(batch); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// Position, Wait, HasParked, IsParked and LastSeq make a Then the view and the log by which
// access.Rights decides.
func (t *Then) Position() uint64 { return t.Seq }

// Wait returns at once: what is past does not change.
func (t *Then) Wait(context.Context, uint64) error { return nil }

// HasParked is false: what could not be applied is no right.
func (t *Then) HasParked() bool { return false }

// IsParked is false.
func (t *Then) IsParked(string) bool { return false }

// LastSeq is that of the last event.
func (t *Then) LastSeq(context.Context) (uint64, error) { return t.Seq, nil }

var _ command.Follower = (*Then)(nil)
