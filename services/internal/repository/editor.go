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

// An Editor changes parts of the settings of live repositories. The parts that
// stay are those as of the repository's latest event: of two changes at the same
// moment none undoes the other. A change to what a setting is already appends no
// event; the sequence is then that of the latest event. All exported fields are required.
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
	seen *uint64
}

// Seeing is an editor for a caller who has looked at the repository before: seen is that of
// command.DecideSeen, and each of its changes may be refused with a command.ErrChanged.
func (e Editor) Seeing(seen *uint64) Editor {
	e.seen = seen
	return e
}

// change appends the event that next makes of the present settings, none for nil.
// known says that the read models have committed the repository's latest event.
// When they do not in time, the present settings are not known and must not be
// compared with.
func (e Editor) change(ctx context.Context, by command.By, id ID, name string, next func(known bool) (events.Payload, error)) (uint64, error) {
	known := true // after one wait in vain there is no other
	return decide(ctx, e.Log, by, id, name, e.seen, func(seq uint64) (events.Payload, error) {
		known = known && e.Wait(ctx, seq) == nil
		return next(known)
	})
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
	return e.change(ctx, by, id, name, func(known bool) (events.Payload, error) {
		entry, err := e.Catalog.Entry(ctx, id.Repository)
		if err != nil {
			return nil, err
		}
		readme, err := e.Catalog.Readme(ctx, id.Repository)
		if err != nil {
			return nil, err
		}
		before := Description{Line: entry.Description, Readme: readme, Topics: entry.Topics}
		after := change.On(before)
		if known && sameDescription(before, after) {
			return nil, nil
		}
		p, err := described(id, name, after)
		if known && before.Readme == after.Readme {
			return summaryOf(p), err
		}
		return p, err
	})
}

// sameDescription compares a kept description with another one as it would be kept.
func sameDescription(kept, asked Description) bool {
	return kept.Line == strings.TrimSpace(asked.Line) && kept.Readme == asked.Readme &&
		slices.Equal(slices.Sorted(slices.Values(kept.Topics)), slices.Compact(slices.Sorted(slices.Values(asked.Topics))))
}

// ChangeVisibility opens a repository to everybody, or closes it. ErrUnknown, ErrSettings.
func (e Editor) ChangeVisibility(ctx context.Context, by command.By, id ID, name, visibility string) (uint64, error) {
	return e.change(ctx, by, id, name, func(known bool) (events.Payload, error) {
		entry, err := e.Catalog.Entry(ctx, id.Repository)
		if err != nil || known && entry.Visibility == visibility {
			return nil, err
		}
		return visibilityChanged(id, name, visibility)
	})
}

// ChangePolicy changes parts of a policy. ErrUnknown, ErrSettings.
func (e Editor) ChangePolicy(ctx context.Context, by command.By, id ID, name string, change func(*events.RepositoryPolicy)) (uint64, error) {
	return e.change(ctx, by, id, name, func(known bool) (events.Payload, error) {
		repo, err := e.Images.Repository(ctx, name)
		if err != nil {
			return nil, err
		}
		after := repo.Policy
		change(&after)
		same, err := samePolicy(repo.Policy, after)
		if err != nil || known && same {
			return nil, err
		}
		return policyChanged(id, name, after)
	})
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
