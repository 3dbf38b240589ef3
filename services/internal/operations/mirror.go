package operations

import (
	"context"
	"errors"
)

// A Mirror is a copy in memory of some tables, which those who write them
// change before the commit.
type Mirror interface {
	// Load replaces the copy by what is stored.
	Load(ctx context.Context, q Querier) error
}

// Mirror loads a mirror, and again whenever a transaction was rolled back.
// Until that has succeeded nothing is changed, since what the mirror says is
// not what is stored. It is only for stores that are written alone.
func (s *Store) Mirror(ctx context.Context, m Mirror) error {
	w, ok := s.changer.(*groupWriter)
	if !ok {
		return errors.New("a store that several nodes write cannot be mirrored")
	}
	return w.run(ctx, NoLock, func(t *Tx) error {
		if err := m.Load(t.ctx, t.q); err != nil {
			return err
		}
		w.mirrors = append(w.mirrors, m)
		return nil
	})
}
