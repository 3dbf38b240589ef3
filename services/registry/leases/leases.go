// Package leases is the registry's operational store: who needs which blob
// although no manifest in the log says so, which blobs are on their way out,
// which are damaged, and what was pulled since the last hour was written to
// the log. None of it can be rebuilt from the log, and none of it is lost
// sleep over: after its loss clients push again and garbage collection rests.
//
// Three kinds of rows fence blobs against garbage collection:
//
//   - A lease holds a blob for a repository's name until a time. The name and
//     not an id, because before its first manifest a repository has none.
//   - A pin holds blobs for one manifest while its append is in flight.
//   - A leaving mark says that a blob is being removed.
//
// A digest has either a live lease or pin, or a leaving mark, never both: each
// is given in a transaction that fails for the other.
//
// The store is an SQLite file beside the projections or a PostgreSQL database
// that several nodes share. Both run the same statements. The SQLite one has
// its fences in memory too, so looking at them costs a map access.
package leases

import (
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"
)

// PinTerm is how long a pin holds at most. It only has to outlast one append
// and its projection; a pin is older only when its process has died.
const PinTerm = 10 * time.Minute

var (
	// ErrLeaving: a blob is being removed; see LeavingError for which.
	ErrLeaving = errors.New("a blob is being removed")
	// ErrNoLease: the repository named has no live lease on the blob.
	ErrNoLease = errors.New("no lease on the blob")
	ErrClosed  = errors.New("the operational store is closed")
)

// A LeavingError names the blobs that cannot be leased or pinned now. Wait for
// them by WaitCleared; they are gone then.
type LeavingError struct{ Digests []digest.Digest }

func (e *LeavingError) Error() string        { return fmt.Sprintf("%v: %v", ErrLeaving, e.Digests) }
func (e *LeavingError) Is(target error) bool { return target == ErrLeaving }

// A Mark is a leaving mark.
type Mark struct {
	Digest digest.Digest
	Since  time.Time
}

// Damage is a blob whose file is known not to be what it should.
type Damage struct {
	Digest  digest.Digest
	Since   time.Time
	Problem string // for people
}
