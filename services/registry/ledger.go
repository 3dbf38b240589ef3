package registry

import (
	"context"
	"hash/maphash"
	"sync"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
	"hubledger/projections/images"
)

// An amount is what somebody holds, or may hold.
type amount struct{ bytes, images int64 }

func (a amount) plus(b amount) amount { return amount{a.bytes + b.bytes, a.images + b.images} }

// over says whether a is more than a quota allows, of what it limits.
func (a amount) over(quota amount) bool {
	return quota.bytes > 0 && a.bytes > quota.bytes || quota.images > 0 && a.images > quota.images
}

// A ledger keeps in memory what namespaces with a quota hold, so that a push
// neither asks the projection for sums nor locks a row that all pushes of a
// namespace share. It is filled from the projection once and goes with its
// commits. After deletions it knows too much, which does not matter until a
// push is about to be refused: then it is filled anew. What brings back other
// things than it names makes it worthless.
type ledger struct {
	mu      sync.Mutex
	seed    maphash.Seed
	books   map[string]*book // by namespace id
	entries int              // in all books
}

// maxLedger bounds the entries of all books, about 16 bytes each.
const maxLedger = 8_000_000

// A book is what one namespace holds. Things are known by 64 bits of a hash
// that nobody outside can work out.
type book struct {
	filled  bool
	loose   bool   // something was deleted since: less may be held than is known
	version uint64 // raised when what is known became worthless
	held    map[uint64]struct{}
	sum     amount
	// promised is what pushes that are under way are going to add.
	promised map[uint64]*promise
	promises amount // of things that are not held yet
}

type promise struct {
	amount amount
	n      int // pushes
}

// An item is one thing that a push needs: a blob or its manifest.
type item struct {
	key    uint64
	amount amount
}

func newLedger() *ledger { return &ledger{seed: maphash.MakeSeed(), books: map[string]*book{}} }

func (l *ledger) blob(sum []byte, size int64) item {
	return item{maphash.Bytes(l.seed, sum), amount{bytes: size}}
}

func (l *ledger) manifest(repo, sum []byte, size int64) item {
	return item{maphash.Bytes(l.seed, append(append(make([]byte, 0, 96), repo...), sum...)), amount{size, 1}}
}

// itemsOf is what a push adds to a namespace at most. In a repository that is
// not there yet every manifest is new.
func (l *ledger) itemsOf(repo string, d digest.Digest, m *images.Manifest, size int64, absent []digest.Digest) []item {
	id, _ := projections.IDBytes(repo)
	sum, err := images.DigestBytes(d)
	if err != nil {
		return nil
	}
	list := []item{l.manifest(id, sum, size)}
	without := map[digest.Digest]bool{}
	for _, d := range absent {
		without[d] = true
	}
	seen := map[uint64]bool{}
	for _, b := range m.Blobs() {
		sum, err := images.DigestBytes(b.Digest)
		if err != nil || without[b.Digest] {
			continue
		}
		it := l.blob(sum, b.Size)
		if !seen[it.key] {
			seen[it.key] = true
			list = append(list, it)
		}
	}
	return list
}

// reserve promises room for what a push needs. Without room, release is nil;
// used is then what is held or promised already, and more what the push needs
// beyond that.
func (l *ledger) reserve(ctx context.Context, r images.Reader, ns string, items []item, quota amount) (used, more amount, release func(), err error) {
	for {
		b, err := l.book(ctx, r, ns)
		if err != nil {
			return used, more, nil, err
		}
		l.mu.Lock()
		more = amount{}
		for _, it := range items {
			if _, held := b.held[it.key]; !held && b.promised[it.key] == nil {
				more = more.plus(it.amount)
			}
		}
		used = b.sum.plus(b.promises)
		if more == (amount{}) || !used.plus(more).over(quota) {
			l.promise(b, items)
			l.mu.Unlock()
			return used, more, func() { l.release(b, items) }, nil
		}
		loose := b.loose
		if loose {
			l.forget(b)
		}
		l.mu.Unlock()
		if !loose {
			return used, more, nil, nil
		}
	}
}

func (l *ledger) promise(b *book, items []item) {
	for _, it := range items {
		p := b.promised[it.key]
		if p == nil {
			p = &promise{amount: it.amount}
			b.promised[it.key] = p
			if _, held := b.held[it.key]; !held {
				b.promises = b.promises.plus(it.amount)
			}
		}
		p.n++
	}
}

func (l *ledger) release(b *book, items []item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, it := range items {
		p := b.promised[it.key]
		if p.n--; p.n > 0 {
			continue
		}
		delete(b.promised, it.key)
		if _, held := b.held[it.key]; !held {
			b.promises = b.promises.plus(amount{-p.amount.bytes, -p.amount.images})
		}
	}
}

// full says what a namespace holds, if that is all it may.
func (l *ledger) full(ctx context.Context, r images.Reader, ns string, quota amount) (used amount, full bool, err error) {
	for {
		b, err := l.book(ctx, r, ns)
		if err != nil {
			return amount{}, false, err
		}
		l.mu.Lock()
		used, full, loose := b.sum, b.sum.bytes >= quota.bytes, b.loose
		if full && loose {
			l.forget(b)
		}
		l.mu.Unlock()
		if !full || !loose {
			return used, full, nil
		}
	}
}

// add notes that something is held.
func (l *ledger) add(b *book, it item) {
	if _, held := b.held[it.key]; held {
		return
	}
	b.held[it.key] = struct{}{}
	b.sum = b.sum.plus(it.amount)
	l.entries++
	if p := b.promised[it.key]; p != nil {
		b.promises = b.promises.plus(amount{-p.amount.bytes, -p.amount.images})
	}
}

// forget makes what is known of a namespace worthless. Promises stay.
func (l *ledger) forget(b *book) {
	l.entries -= len(b.held)
	b.filled, b.loose, b.held, b.sum, b.promises = false, false, map[uint64]struct{}{}, amount{}, amount{}
	b.version++
	for _, p := range b.promised {
		b.promises = b.promises.plus(p.amount)
	}
}
