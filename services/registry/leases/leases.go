// Package leases keeps, in the operational store, who needs which blob although
// no manifest in the log says so, which blobs are on their way out, and which
// are damaged. None of it can be rebuilt from the log: after its loss clients
// push again and garbage collection rests for one lease term.
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
// Where one process alone writes the store, it has the fences in memory too, so
// that looking at them costs a map access.
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
)

// A LeavingError names the blobs that cannot be leased or pinned now. Wait for
// them by WaitCleared; they are gone then.
type LeavingError struct{ Digests []digest.Digest }

func (e *LeavingError) Error() string        { return fmt.Sprintf("%v: %v", ErrLeaving, e.Digests) }
func (e *LeavingError) Is(target error) bool { return target == ErrLeaving }

// A Lease is one on a blob, and when it ends.
type Lease struct {
	Digest digest.Digest
	Until  time.Time
}

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
