package projections

import (
	"context"
	"fmt"
)

// Answers is one side of a comparison: a build's answers to its named
// queries, all on one state of it. It calls at once with the position of that
// state, and then yield with every answer.
type Answers func(ctx context.Context, at func(position uint64) error, yield func(query, key, answer string) error) error

// AnswersOf asks a store.
func AnswersOf(s Store) Answers {
	return func(ctx context.Context, at func(uint64) error, yield func(query, key, answer string) error) error {
		state, err := s.snapshot(ctx)
		if err != nil {
			return err
		}
		defer state.close()
		if err := at(state.position); err != nil {
			return err
		}
		for _, q := range s.model().Queries {
			err := q.Run(ctx, state.db, func(key, answer string) error { return yield(q.Name, key, answer) })
			if err != nil {
				return fmt.Errorf("query %s: %w", q.Name, err)
			}
		}
		return nil
	}
}
