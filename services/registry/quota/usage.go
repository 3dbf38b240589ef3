// Package quota knows what namespaces with a quota hold, so that a push neither
// asks the read model for sums nor locks a row that all pushes of a namespace
// share. What is known is in the memory of one node.
package quota

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
	"hubledger/projections/images"
)

// Usage keeps in memory what namespaces hold. A namespace is read from the
// images read model once and then follows its commits. After deletions too
// much counts as held, which does not matter until a push is about to be
// refused: then the namespace is read again. It is also read again after an
// event that may bring back more than it names.
type Usage struct {
	read       images.Reader
	leased     func(ctx context.Context, ns Namespace) ([]Leased, error)
	mu         sync.Mutex
	seed       maphash.Seed
	namespaces map[string]*namespace // by id
	byName     map[string]*namespace
	entries    int // things held, in all namespaces
}

// maxEntries bounds the things held that are known, about 16 bytes each.
const maxEntries = 8_000_000

// A Namespace by its id and name.
type Namespace struct{ ID, Name string }

// Leased is a blob that a lease holds and that no image of the namespace ever named.
type Leased struct {
	Blob  digest.Digest
	Size  int64 // in bytes
	Until time.Time
}

// A namespace is what one namespace holds. Things are known by 64 bits of a
// hash with a secret seed, so that nobody can push two that count as one.
type namespace struct {
	Namespace
	limit     Amount // as it was asked for last
	filled    bool
	overstate bool   // something was deleted since: less may be held than is known
	version   uint64 // raised when what is known became worthless
	held      map[uint64]struct{}
	sum       Amount
	// promised is what pushes that are under way are going to add, and blobs that
	// leases hold for pushes to come.
	promised map[uint64]*promise
	promises Amount // of things that are not held yet
	uploads  map[string]upload
	open     int64     // bytes of uploads
	checked  time.Time // when ended leases were last looked for
}

// A promise counts while a push is under way or a lease lasts.
type promise struct {
	amount Amount
	pushes int
	until  time.Time
}

// used is all that counts against the quota.
func (n *namespace) used() Amount {
	return n.sum.plus(n.promises).plus(Amount{Bytes: n.open})
}

// exceeded is the refusal of more.
func (n *namespace) exceeded(more, limit Amount) *ExceededError {
	e := &ExceededError{Used: n.used(), More: more, Limit: limit, Pending: n.open}
	for key, p := range n.promised {
		if _, held := n.held[key]; !held && p.pushes == 0 {
			e.Pending += p.amount.Bytes
		}
	}
	return e
}

// An item is one thing that a namespace holds: a blob, or a manifest.
type item struct {
	key    uint64
	amount Amount
}

// NewUsage reads namespaces from that read model, and which of their blobs only
// leases hold from leased. Committed has to be called with each commit of the
// read model.
func NewUsage(read images.Reader, leased func(ctx context.Context, ns Namespace) ([]Leased, error)) *Usage {
	return &Usage{read: read, leased: leased, seed: maphash.MakeSeed(), namespaces: map[string]*namespace{}, byName: map[string]*namespace{}}
}

// A Push is what somebody wants to add to a namespace.
type Push struct {
	Repository string // id; "" for one that is not there yet, in which every manifest is new
	Digest     digest.Digest
	Size       int64            // of the manifest in bytes
	Manifest   *images.Manifest // names the blobs
	// Absent and Blobs are as in events.ImagePushed.
	Absent, Blobs []digest.Digest
}

func (u *Usage) blob(sum []byte, size int64) item {
	return item{maphash.Bytes(u.seed, sum), Amount{Bytes: size}}
}

func (u *Usage) manifest(repo, sum []byte, size int64) item {
	return item{maphash.Bytes(u.seed, append(append(make([]byte, 0, 96), repo...), sum...)), Amount{size, 1}}
}

// items is what a push adds at most: its manifest, and each blob once.
func (u *Usage) items(p Push) []item {
	id, _ := projections.IDBytes(p.Repository)
	sum, err := images.DigestBytes(p.Digest)
	if err != nil {
		return nil
	}
	list := []item{u.manifest(id, sum, p.Size)}
	for _, b := range p.Manifest.Held(p.Absent, p.Blobs) {
		if sum, err := images.DigestBytes(b.Digest); err == nil {
			list = append(list, u.blob(sum, b.Size))
		}
	}
	return list
}

// Reserve promises room in a namespace for what a push adds, until release is
// called. Without room it is an *ExceededError.
func (u *Usage) Reserve(ctx context.Context, ns Namespace, p Push, limit Amount) (release func(), err error) {
	items := u.items(p)
	for {
		n, err := u.filled(ctx, ns)
		if err != nil {
			return nil, err
		}
		u.mu.Lock()
		n.limit = limit
		u.expire(n)
		more := n.more(items)
		if more == (Amount{}) || !n.used().plus(more).over(limit) {
			n.promise(items)
			u.mu.Unlock()
			return func() { u.release(n, items) }, nil
		}
		exceeded := n.exceeded(more, limit)
		again := u.readAgain(n)
		u.mu.Unlock()
		if !again {
			return nil, exceeded
		}
	}
}

// CheckRoom is an *ExceededError when a namespace holds as many bytes as it may.
func (u *Usage) CheckRoom(ctx context.Context, ns Namespace, limit Amount) error {
	for {
		n, err := u.filled(ctx, ns)
		if err != nil {
			return err
		}
		u.mu.Lock()
		n.limit = limit
		u.expire(n)
		if n.used().Bytes < limit.Bytes {
			u.mu.Unlock()
			return nil
		}
		exceeded := n.exceeded(Amount{}, limit)
		again := u.readAgain(n)
		u.mu.Unlock()
		if !again {
			return exceeded
		}
	}
}

// more is what items add to what is held or promised.
func (n *namespace) more(items []item) (sum Amount) {
	for _, it := range items {
		if _, held := n.held[it.key]; !held && n.promised[it.key] == nil {
			sum = sum.plus(it.amount)
		}
	}
	return sum
}

func (n *namespace) promise(items []item) {
	for _, it := range items {
		p := n.promised[it.key]
		if p == nil {
			p = &promise{amount: it.amount}
			n.promised[it.key] = p
			if _, held := n.held[it.key]; !held {
				n.promises = n.promises.plus(it.amount)
			}
		}
		p.pushes++
	}
}

func (u *Usage) release(n *namespace, items []item) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, it := range items {
		p := n.promised[it.key]
		if p.pushes--; p.pushes > 0 || p.until.After(time.Now()) {
			continue
		}
		delete(n.promised, it.key)
		if _, held := n.held[it.key]; !held {
			n.promises = n.promises.minus(p.amount)
		}
	}
}

// add notes that something is held.
func (u *Usage) add(n *namespace, it item) {
	if _, held := n.held[it.key]; held {
		return
	}
	n.held[it.key] = struct{}{}
	n.sum = n.sum.plus(it.amount)
	u.entries++
	if p := n.promised[it.key]; p != nil {
		n.promises = n.promises.minus(p.amount)
		if p.until = (time.Time{}); p.pushes == 0 {
			delete(n.promised, it.key) // named now: its lease counts no more, whatever becomes of the image
		}
	}
}

// readAgain forgets what a namespace holds if that may be too much, and says so.
func (u *Usage) readAgain(n *namespace) bool {
	if !n.overstate {
		return false
	}
	u.forget(n)
	return true
}

// forget drops what is known of a namespace. Promises to pushes and uploads stay.
func (u *Usage) forget(n *namespace) {
	u.entries -= len(n.held)
	n.filled, n.overstate, n.held, n.sum, n.promises = false, false, map[uint64]struct{}{}, Amount{}, Amount{}
	n.version++
	for key, p := range n.promised {
		if p.until = (time.Time{}); p.pushes == 0 {
			delete(n.promised, key)
			continue
		}
		n.promises = n.promises.plus(p.amount)
	}
}
