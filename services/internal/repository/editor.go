package repository

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"hubledger/events"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/internal/command"
)

// An Editor changes parts of what is said of live repositories. A change that
// says what the log says already makes no event; the sequence is then that of
// the repository's latest event. All fields are required.
type Editor struct {
	Log  command.Log
	Wait command.Wait
	// Catalog and Images are what is said so far: catalog.Reader and images.Reader.
	Catalog interface {
		Entry(ctx context.Context, repo string) (*catalog.Entry, error)
		Readme(ctx context.Context, repo string) (string, error)
	}
	Images interface {
		Repository(ctx context.Context, name string) (*images.Repository, error)
	}
}

// caughtUp waits until the read models have the latest event of a name, and
// gives its sequence. It is 0 when they do not get there in time: then what
// they say is not to be compared with.
func (e Editor) caughtUp(ctx context.Context, id ID, name string) (uint64, error) {
	_, seq, err := command.Latest(ctx, e.Log, events.RepositorySubject(id.Namespace, name))
	if err != nil || e.Wait(ctx, seq) != nil {
		return 0, err
	}
	return seq, nil
}

// A DescriptionChange has what of a description changes; what is nil stays.
type DescriptionChange struct {
	Line, Readme *string
	Topics       *[]string
}

// On is a description with the change made.
func (c DescriptionChange) On(d Description) Description {
	if c.Line != nil {
		d.Line = *c.Line
	}
	if c.Readme != nil {
		d.Readme = *c.Readme
	}
	if c.Topics != nil {
		d.Topics = *c.Topics
	}
	return d
}

// Describe changes what people read about a repository. ErrUnknown, ErrSettings.
func (e Editor) Describe(ctx context.Context, by command.By, id ID, name string, change DescriptionChange) (uint64, error) {
	seq, err := e.caughtUp(ctx, id, name)
	if err != nil {
		return 0, err
	}
	entry, err := e.Catalog.Entry(ctx, id.Repository)
	if err != nil {
		return 0, err
	}
	readme, err := e.Catalog.Readme(ctx, id.Repository)
	if err != nil {
		return 0, err
	}
	before := Description{Line: entry.Description, Readme: readme, Topics: entry.Topics}
	after := change.On(before)
	if seq != 0 && sameDescription(before, after) {
		return seq, nil
	}
	return Describe(ctx, e.Log, by, id, name, after)
}

// sameDescription compares what is kept with what is asked for, as it would be kept.
func sameDescription(kept, asked Description) bool {
	return kept.Line == strings.TrimSpace(asked.Line) && kept.Readme == asked.Readme &&
		slices.Equal(slices.Sorted(slices.Values(kept.Topics)), slices.Compact(slices.Sorted(slices.Values(asked.Topics))))
}

// ChangeVisibility opens a repository to everybody, or closes it. ErrUnknown, ErrSettings.
func (e Editor) ChangeVisibility(ctx context.Context, by command.By, id ID, name, visibility string) (uint64, error) {
	seq, err := e.caughtUp(ctx, id, name)
	if err != nil {
		return 0, err
	}
	entry, err := e.Catalog.Entry(ctx, id.Repository)
	if err != nil {
		return 0, err
	}
	if seq != 0 && entry.Visibility == visibility {
		return seq, nil
	}
	return ChangeVisibility(ctx, e.Log, by, id, name, visibility)
}

// ChangePolicy states the whole policy anew with a part of it changed.
// ErrUnknown, ErrSettings.
func (e Editor) ChangePolicy(ctx context.Context, by command.By, id ID, name string, change func(*events.RepositoryPolicy)) (uint64, error) {
	seq, err := e.caughtUp(ctx, id, name)
	if err != nil {
		return 0, err
	}
	repo, err := e.Images.Repository(ctx, name)
	if err != nil {
		return 0, err
	}
	after := repo.Policy
	change(&after)
	same, err := samePolicy(repo.Policy, after)
	if err != nil || seq != 0 && same {
		return seq, err
	}
	return ChangePolicy(ctx, e.Log, by, id, name, after)
}

// samePolicy compares policies as they are written into events.
func samePolicy(a, b events.RepositoryPolicy) (bool, error) {
	one, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	other, err := json.Marshal(b)
	return bytes.Equal(one, other), err
}
