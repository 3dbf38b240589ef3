package projections

import (
	"context"
	"fmt"
)

// Results yields what the named queries of one build return, all on one state
// of the build. It calls at once with the position of that state, and then
// yield with every result.
type Results func(ctx context.Context, at func(position uint64) error, yield func(query, key, result string) error) error

// ResultsOf are the results of a store's queries.
func ResultsOf(s Store) Results {
	return func(ctx context.Context, at func(uint64) error, yield func(query, key, result string) error) error {
		state, err := s.Snapshot(ctx)
		if err != nil {
			return err
		}
		defer state.Close()
		if err := at(state.Position); err != nil {
			return err
		}
		for _, q := range s.Model().Queries {
			err := q.Run(ctx, state.DB, func(key, result string) error { return yield(q.Name, key, result) })
			if err != nil {
				return fmt.Errorf("query %s: %w", q.Name, err)
			}
		}
		return nil
	}
}
