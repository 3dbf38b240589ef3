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

// An Editor changes parts of the settings of live repositories. A change to what
// a setting is already appends no event; the sequence is then that of the
// repository's latest event. All fields are required.
type Editor struct {
	Log  command.Log
	Wait command.Wait
	// Catalog and Images know the present settings: catalog.Reader and images.Reader.
	Catalog interface {
		Entry(ctx context.Context, repo string) (*catalog.Entry, error)
		Readme(ctx context.Context, repo string) (string, error)
	}
	Images interface {
		Repository(ctx context.Context, name string) (*images.Repository, error)
	}
}

// caughtUp waits until the read models have committed the latest event of a
// name, and returns its sequence. It is 0 when they do not in time: then the
// present settings are not known and must not be compared with.
func (e Editor) caughtUp(ctx context.Context, id ID, name string) (uint64, error) {
	_, seq, err := command.Latest(ctx, e.Log, events.RepositorySubject(id.Namespace, name))
	if err != nil || e.Wait(ctx, seq) != nil {
		return 0, err
	}
	return seq, nil
}

// A DescriptionChange says which parts of a description change; nil parts stay.
type DescriptionChange struct {
	Line, Readme *string
	Topics       *[]string
}

// On applies the change to a description.
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

// Describe changes parts of a repository's description. ErrUnknown, ErrSettings.
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

// sameDescription compares a kept description with another one as it would be kept.
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

// ChangePolicy changes parts of a policy. ErrUnknown, ErrSettings.
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
