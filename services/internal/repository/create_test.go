package repository_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/streams/streamtest"
)

// decided gives one decision, whatever is asked.
type decided struct{ is access.Decision }

func (d decided) Repository(context.Context, access.Principal, string) (access.Decision, error) {
	return d.is, nil
}

func TestCreate(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	alice := access.Principal{Kind: access.User, Name: "alice"}
	robot := access.Principal{Kind: access.Robot, Name: "acme+ci"}
	admin := access.Principal{Kind: access.User, Name: "root", Admin: true}
	mayCreate := decided{access.Decision{Create: true, Level: access.Admin}}
	there := &accounts.Repository{ID: "x"}
	for what, c := range map[string]struct {
		p      access.Principal
		rights decided
		want   repository.New
		err    error
		text   string
		events uint64 // with that of the namespace
	}{
		"empty":                    {alice, mayCreate, repository.New{Name: "alice/empty", Visibility: events.Private}, nil, "", 2},
		"with a description":       {alice, mayCreate, repository.New{Name: "bob/told", Visibility: events.Public, Description: repository.Description{Line: "x"}}, nil, "", 3},
		"a bad name":               {alice, mayCreate, repository.New{Name: "Alice/app", Visibility: events.Private}, repository.ErrName, "", 0},
		"a bad description":        {alice, mayCreate, repository.New{Name: "alice/bad", Visibility: events.Private, Description: repository.Description{Line: "a\nb"}}, repository.ErrSettings, "", 0},
		"a bad visibility":         {alice, mayCreate, repository.New{Name: "alice/bad", Visibility: "secret"}, repository.ErrSettings, "", 0},
		"one that is there":        {alice, decided{access.Decision{Repository: there, Level: access.Read}}, repository.New{Name: "a/b"}, repository.ErrExists, "there is a repository of that name", 0},
		"one that is hidden":       {alice, decided{access.Decision{Repository: there}}, repository.New{Name: "a/b"}, repository.ErrMayNotCreate, "you may not create a/b: your own repositories have names that begin with alice/", 0},
		"by a robot account":       {robot, decided{}, repository.New{Name: "a/b"}, repository.ErrMayNotCreate, "you may not create a/b", 0},
		"in a namespace of nobody": {admin, decided{}, repository.New{Name: "a/b"}, repository.ErrNoNamespace, `there is no user or organization "a": create it first`, 0},
		"in the same, by a user":   {alice, decided{}, repository.New{Name: "a/b"}, repository.ErrMayNotCreate, "", 0},
	} {
		t.Run(what, func(t *testing.T) {
			before, err := log.LastSeq(ctx)
			if err != nil {
				t.Fatal(err)
			}
			id, seq, err := repository.Create(ctx, log, by, c.rights, c.p, c.want)
			last, lerr := log.LastSeq(ctx)
			if lerr != nil {
				t.Fatal(lerr)
			}
			if !errors.Is(err, c.err) || c.text != "" && err.Error() != c.text || last-before != c.events {
				t.Fatalf("%v, %d events", err, last-before)
			}
			if err == nil && (seq != last || id.Repository == "") {
				t.Errorf("%v at %d, the log ends at %d", id, seq, last)
			}
		})
	}
}

func TestStars(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	id := repository.ID{Namespace: "0191d1a0-0000-7000-8000-000000000001", Repository: "0191d1a0-0000-7000-8000-000000000002"}
	alice := access.Principal{Kind: access.User, ID: "0191d1a0-0000-7000-8000-000000000003"}
	for k, c := range []struct {
		give bool
		seq  uint64
	}{{false, 0}, {true, 1}, {true, 1}, {false, 2}, {false, 2}, {true, 3}} {
		if seq, err := repository.SetStar(ctx, log, by, alice, id, c.give); err != nil || seq != c.seq {
			t.Errorf("step %d: event %d, %v, want %d", k, seq, err, c.seq)
		}
	}
	for _, p := range []access.Principal{access.Operates, {Kind: access.Robot}} {
		if _, err := repository.SetStar(ctx, log, by, p, id, true); !errors.Is(err, repository.ErrNoStars) {
			t.Errorf("%s: %v", p.Kind, err)
		}
	}
}

// said is what the read models say of a repository.
type said struct {
	entry  catalog.Entry
	readme string
	repo   images.Repository
}

func (s *said) Entry(context.Context, string) (*catalog.Entry, error) { return &s.entry, nil }
func (s *said) Readme(context.Context, string) (string, error)        { return s.readme, nil }
func (s *said) Repository(context.Context, string) (*images.Repository, error) {
	return &s.repo, nil
}

// A change that says what is so already makes no event, as long as the read
// models are known to be up to date.
func TestEditor(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	id, err := repository.Ensure(ctx, log, by, parse(t, "alice/app"), events.Private)
	if err != nil {
		t.Fatal(err)
	}
	line, same, topics := "new", " old ", []string{"b", "a", "b"}
	describe := func(c repository.DescriptionChange) func(repository.Editor) (uint64, error) {
		return func(e repository.Editor) (uint64, error) { return e.Describe(ctx, by, id, "alice/app", c) }
	}
	visible := func(v string) func(repository.Editor) (uint64, error) {
		return func(e repository.Editor) (uint64, error) { return e.ChangeVisibility(ctx, by, id, "alice/app", v) }
	}
	policy := func(sparse bool) func(repository.Editor) (uint64, error) {
		return func(e repository.Editor) (uint64, error) {
			return e.ChangePolicy(ctx, by, id, "alice/app", func(p *events.RepositoryPolicy) { p.SparseIndexes = sparse })
		}
	}
	for what, c := range map[string]struct {
		do      func(repository.Editor) (uint64, error)
		changes bool
	}{
		"another line":         {describe(repository.DescriptionChange{Line: &line}), true},
		"the same line":        {describe(repository.DescriptionChange{Line: &same}), false},
		"the same topics":      {describe(repository.DescriptionChange{Topics: &topics}), false},
		"nothing":              {describe(repository.DescriptionChange{}), false},
		"another visibility":   {visible(events.Public), true},
		"the same visibility":  {visible(events.Private), false},
		"another policy":       {policy(true), true},
		"the same policy":      {policy(false), false},
		"a visibility unknown": {visible("secret"), true}, // refused
	} {
		for _, late := range []bool{false, true} {
			read := &said{entry: catalog.Entry{Description: "old", Topics: []string{"a", "b"}, Visibility: events.Private}}
			e := repository.Editor{Log: log, Catalog: read, Images: read, Wait: func(context.Context, uint64) error {
				if late {
					return &command.UnreadableError{}
				}
				return nil
			}}
			before, err := log.LastSeq(ctx)
			if err != nil {
				t.Fatal(err)
			}
			seq, err := c.do(e)
			want := before
			if c.changes || late {
				want++
			}
			if what == "a visibility unknown" {
				if !errors.Is(err, repository.ErrSettings) {
					t.Errorf("%s: %v", what, err)
				}
				continue
			}
			if err != nil || seq != want {
				t.Errorf("%s, late %t: event %d, %v, want %d", what, late, seq, err, want)
			}
		}
	}
}

// A change of one part, made when another writer has just changed another part,
// keeps what the other writer wrote.
func TestEditorRace(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	id, err := repository.Ensure(ctx, log, by, parse(t, "alice/app"), events.Private)
	if err != nil {
		t.Fatal(err)
	}
	read := &said{entry: catalog.Entry{Description: "old", Visibility: events.Private}}
	e := repository.Editor{Catalog: read, Images: read, Wait: func(context.Context, uint64) error { return nil }}
	line, topics := "new", []string{"a"}
	e.Log = &other{Log: log, write: func() error {
		_, err := repository.Describe(ctx, log, by, id, "alice/app", repository.Description{Line: "old", Topics: topics})
		read.entry.Topics = topics
		return err
	}}
	if _, err := e.Describe(ctx, by, id, "alice/app", repository.DescriptionChange{Line: &line}); err != nil {
		t.Fatal(err)
	}
	p, _, err := command.Latest(ctx, log, events.RepositorySubject(id.Namespace, "alice/app"))
	now, ok := p.(events.RepositorySummaryChanged) // the README stays, and is not restated
	if err != nil || !ok || now.Description != line || !slices.Equal(now.Topics, topics) {
		t.Errorf("described as %+v, %v", p, err)
	}
	// A README is in the log when it changes, and a repository with the small event
	// goes on to live.
	readme := "# New"
	if _, err := e.Describe(ctx, by, id, "alice/app", repository.DescriptionChange{Readme: &readme}); err != nil {
		t.Fatal(err)
	}
	if p, _, err = command.Latest(ctx, log, events.RepositorySubject(id.Namespace, "alice/app")); err != nil || p.(events.RepositoryDescribed).Readme != readme {
		t.Errorf("described as %+v, %v", p, err)
	}
}

// other is a log where another writer is faster with the first append.
type other struct {
	command.Log
	write func() error
}

func (o *other) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	if write := o.write; write != nil {
		o.write = nil
		if err := write(); err != nil {
			return 0, err
		}
	}
	return o.Log.Append(ctx, e, expect)
}
