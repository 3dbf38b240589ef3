package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"hubledger/services/internal/program"
)

// Bounds of how many callers wait for a password to be hashed, in each line.
const (
	maxWaiting        = 200 // known callers, or strangers: about ten seconds' worth
	maxNew            = 400 // unknown callers with their first password
	maxWaitingNetwork = 20  // of one network, of whatever size its owner has
)

// errBusy: too many passwords wait to be checked.
var errBusy = errors.New("too many logins at once")

// A queue bounds how many passwords are hashed at once: each takes 64 MiB, and four
// cores for its four lanes. All callers share a place for every four cores, so that
// requests which hash nothing do not wait behind many lanes. Callers who are known,
// because they logged in from the same address before or have a session, have one
// more place: unknown callers cannot crowd them out. So have unknown callers with their
// first password: those who guess cannot crowd them out once they have failed.
type queue struct {
	shared, kept, first chan struct{}
	known, new          waiting
	strangers           waiting
	hashing             atomic.Int32
	clearing            atomic.Bool  // memory is about to be given back
	ended               atomic.Int64 // when the last hash ended, in Unix nanoseconds
}

// A caller is the client that a password is hashed for.
type caller struct {
	network netip.Prefix // see wideNetwork; the zero Prefix for no network
	known   bool
	new     bool // has no failure, and no other password that is being checked
}

// trustedCaller is the hub itself or a client with a session; no network is counted.
var trustedCaller = caller{known: true}

// sharedPlaces is how many places all callers share on so many cores: at most 4, which
// check more than a hundred passwords a second.
func sharedPlaces(cores int) int {
	lanes := int(recommended.threads)
	return min(4, (cores+lanes-1)/lanes)
}

// HashMemory is how many bytes the passwords that are hashed at once take on this machine.
func HashMemory() int64 {
	return int64(sharedPlaces(runtime.GOMAXPROCS(0))+2) * int64(recommended.memory) << 10
}

func newQueue() *queue {
	return &queue{shared: make(chan struct{}, sharedPlaces(runtime.GOMAXPROCS(0))), kept: make(chan struct{}, 1), first: make(chan struct{}, 1),
		known: waiting{most: maxWaiting}, new: waiting{most: maxNew}, strangers: waiting{most: maxWaiting}}
}

// wideNetwork is the network that waiting callers are counted by: about what a
// provider gives one customer.
func wideNetwork(a netip.Addr) netip.Prefix {
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: a socket
	}
	return p
}

// enter waits for a place; leave gives it back. errBusy when too many wait.
func (q *queue) enter(ctx context.Context, c caller) (leave func(), err error) {
	line, own := &q.strangers, chan struct{}(nil) // a nil channel accepts nobody
	switch {
	case c.known:
		line, own = &q.known, q.kept
	case c.new:
		line, own = &q.new, q.first
	}
	if !line.join(c.network) {
		return nil, errBusy
	}
	defer line.leave(c.network)
	place := q.shared
	select {
	case q.shared <- struct{}{}:
	case own <- struct{}{}:
		place = own
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a password to be checked: %w", context.Cause(ctx))
	}
	if q.hashing.Add(1) == 1 && !q.clearing.Load() {
		makeRoom()
	}
	return func() {
		<-place
		if q.hashing.Add(-1) == 0 {
			q.clear()
		}
	}, nil
}

// Collecting a heap of less than cheapHeap bytes in use costs at most a tenth of a hash. It is
// worth that when at least worthHeap bytes come back.
const (
	cheapHeap = 64 << 20
	worthHeap = 4 << 20
)

// makeRoom gives memory back before a hash takes its 64 MiB: what has been touched of the
// program's file, and what the heap does not use.
func makeRoom() {
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(heap)
	live, objects, free := heap[0].Value.Uint64(), heap[1].Value.Uint64(), heap[2].Value.Uint64()
	if live < cheapHeap && objects+free >= live+worthHeap {
		debug.FreeOSMemory()
	}
	program.GiveBack() // what collecting has touched, too
}

// In a row of hashes, each within alone of the one before, memory is kept for clearAfter
// for the next one.
const (
	alone      = time.Second
	clearAfter = 20 * time.Millisecond
)

// clear gives back the memory of the last hashes. Left alone, 64 MiB of garbage
// would also let everything else grow by half as much before the next collection. It
// takes a tenth of the time of a hash, for which the caller of one that is alone waits.
func (q *queue) clear() {
	now := time.Now().UnixNano()
	before := q.ended.Swap(now)
	if !q.clearing.CompareAndSwap(false, true) {
		return
	}
	give := func() {
		q.clearing.Store(false)
		if q.hashing.Load() == 0 {
			debug.FreeOSMemory()
		}
	}
	if time.Duration(now-before) > alone {
		give()
		return
	}
	time.AfterFunc(clearAfter, give)
}

// waiting counts the callers that wait, in all and by network.
type waiting struct {
	most     int
	mu       sync.Mutex
	n        int
	networks map[netip.Prefix]int
}

func (w *waiting) join(from netip.Prefix) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n >= w.most || from.IsValid() && w.networks[from] >= maxWaitingNetwork {
		return false
	}
	if w.networks == nil {
		w.networks = map[netip.Prefix]int{}
	}
	w.n++
	w.networks[from]++
	return true
}

func (w *waiting) leave(from netip.Prefix) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n--
	if w.networks[from]--; w.networks[from] == 0 {
		delete(w.networks, from)
	}
}
