package leases

import (
	"context"

	"hubledger/services/internal/operations"
)

// What a transaction locks on a shared database before it decides.
const (
	noLock     = operations.NoLock
	givesHolds = operations.Lock("LOCK TABLE leaving IN ROW SHARE MODE") // with others that do
	givesMarks = operations.Lock("LOCK TABLE leaving IN EXCLUSIVE MODE") // alone
)

// A tx is the transaction that a change runs in.
type tx struct {
	*operations.Tx
	fences fences
	mem    *mirror // as in Store
}

// change runs fn as one transaction; see operations.Store.
func (s *Store) change(ctx context.Context, lock operations.Lock, fn func(t *tx) error) error {
	return s.ops.Change(ctx, lock, func(ot *operations.Tx) error {
		if s.mem != nil {
			return fn(&tx{Tx: ot, fences: s.mem, mem: s.mem})
		}
		return fn(&tx{Tx: ot, fences: sqlFences{ot}})
	})
}

// fences are what decisions rest on: the mirror, or the tables themselves.
type fences interface {
	// leaving returns those of the digests that have a mark.
	leaving(ds []packed) ([]packed, error)
	// claim says whether a digest has no live lease or pin. The mirror marks
	// it as leaving in the same moment, against pins that it alone knows.
	claim(d packed, now int64) (bool, error)
	// lease returns until when a repository's lease holds.
	lease(repo string, d packed) (until int64, ok bool, err error)
}
