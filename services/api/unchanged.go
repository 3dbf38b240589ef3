package api

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// What a change says that the log says already is not said again: the answer
// names the latest event of the repository.

// caughtUp waits until the read models know all that the log has of the call's
// repository so far, and gives the sequence of the latest; 0 when they do not
// get there in time: then what they say is not to be compared with.
func (s *API) caughtUp(ctx context.Context, c *call) (uint64, error) {
	_, seq, err := command.Latest(ctx, s.Log, events.RepositorySubject(c.repo.Namespace, c.repo.Name))
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	if s.Settle.Settle(ctx, seq) != nil {
		return 0, nil
	}
	return seq, nil
}

// restate changes what people read about the call's repository.
func (s *API) restate(ctx context.Context, c *call, change func(*repository.Description)) (uint64, error) {
	seq, err := s.caughtUp(ctx, c)
	if err != nil {
		return 0, err
	}
	before, err := s.description(ctx, c)
	if err != nil {
		return 0, err
	}
	after := before
	change(&after)
	if seq != 0 && sameDescription(before, after) {
		return seq, nil
	}
	return repository.Describe(ctx, s.Log, by(c.p), c.id(), c.repo.Name, after)
}

// sameDescription compares what is kept with what is asked for, as it would be kept.
func sameDescription(kept, asked repository.Description) bool {
	return kept.Line == strings.TrimSpace(asked.Line) && kept.Readme == asked.Readme &&
		slices.Equal(slices.Sorted(slices.Values(kept.Topics)), slices.Compact(slices.Sorted(slices.Values(asked.Topics))))
}

// open changes who may see the call's repository.
func (s *API) open(ctx context.Context, c *call, visibility string) (uint64, error) {
	seq, err := s.caughtUp(ctx, c)
	if err != nil {
		return 0, err
	}
	e, err := s.Catalog.Entry(ctx, c.repo.ID)
	if err != nil {
		return 0, err
	}
	if seq != 0 && e.Visibility == visibility {
		return seq, nil
	}
	return repository.ChangeVisibility(ctx, s.Log, by(c.p), c.id(), c.repo.Name, visibility)
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
