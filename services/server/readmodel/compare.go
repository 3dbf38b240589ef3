package readmodel

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"hubledger/projections"
)

// ErrComparing says that a model is being compared already.
var ErrComparing = errors.New("its builds are being compared already: wait until that has ended")

// Compare compares the answers of the build that was prepared with those of the live one, both at
// the same event. The error is ErrComparing, or wraps projections.ErrNoBuild when none was prepared.
func (m *Model) Compare(ctx context.Context) (*projections.Comparison, error) {
	if !m.comparing.TryLock() {
		return nil, ErrComparing
	}
	defer m.comparing.Unlock()
	builds, err := m.set.storage.List(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(builds, func(b projections.Info) bool {
		return b.Name == m.Projection.Name && b.Version == m.Projection.Version && b.Build == projections.Next
	}) { // opening it would make an empty one
		return nil, fmt.Errorf("%w: run `hubledger projections prepare %s` first", projections.ErrNoBuild, m.Projection.Name)
	}
	next, err := m.set.storage.Open(ctx, m.Projection, projections.Options{Build: projections.Next, Generation: m.set.Log.Generation(), Logger: m.set.Logger})
	if err != nil {
		return nil, fmt.Errorf("open the build that was prepared: %w", err)
	}
	defer next.Close()
	return projections.Compare(ctx, projections.CompareConfig{Live: projections.ResultsOf(m.Store()), Next: next, Source: m.set.Log, Logger: m.set.Logger})
}
