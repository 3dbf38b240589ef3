package quota

import (
	"context"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
)

// An upload is one that is open: how many bytes have arrived, and when the last.
type upload struct {
	size int64
	at   time.Time
}

const (
	// forgottenAfter is the age at which an upload no longer counts: one to which
	// nothing was written is purged by then.
	forgottenAfter = 25 * time.Hour
	// expireEvery is how often leases and uploads that have ended are looked for.
	expireEvery = time.Second
)

// SetLimit is what the quota of the namespace of that name is now.
func (u *Usage) SetLimit(name string, limit Amount) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n := u.byName[name]; n != nil {
		n.limit = limit
	}
}

// Grow says how many bytes of an upload into the namespace of that name have
// arrived, or are going to. *ExceededError when its quota, as it was last asked
// for, has no room for them; they do not count then. Nor do they when they are
// going to be the blob d, if that is known, and the namespace has that already.
// Uploads are known to the node that takes them, until it ends.
func (u *Usage) Grow(ctx context.Context, name, id string, size int64, d digest.Digest) error {
	for {
		u.mu.Lock()
		n := u.byName[name]
		if n == nil {
			u.mu.Unlock()
			return nil // it has no quota
		}
		if !n.filled && n.limit.Bytes > 0 { // somebody may have asked for the use of one without a quota
			u.mu.Unlock()
			if _, err := u.filled(ctx, n.Namespace); err != nil {
				return err
			}
			u.mu.Lock()
		}
		u.expire(n)
		if u.has(n, d) {
			u.mu.Unlock()
			return nil
		}
		more := size - n.uploads[id].size
		if more <= 0 || n.limit.Bytes == 0 || n.used().Bytes+more <= n.limit.Bytes {
			n.open += more
			n.uploads[id] = upload{size, time.Now()}
			u.mu.Unlock()
			return nil
		}
		exceeded := n.exceeded(Amount{Bytes: more}, n.limit)
		again := u.readAgain(n)
		u.mu.Unlock()
		if !again {
			return exceeded
		}
	}
}

// Used is all that counts against the quota of a namespace, and how many of these
// bytes are open uploads and blobs that no image names yet.
func (u *Usage) Used(ctx context.Context, ns Namespace) (used Amount, pending int64, err error) {
	for {
		n, err := u.filled(ctx, ns)
		if err != nil {
			return used, 0, err
		}
		u.mu.Lock()
		u.expire(n)
		again := u.readAgain(n)
		e := n.exceeded(Amount{}, Amount{})
		u.mu.Unlock()
		if !again {
			return e.Used, e.Pending, nil
		}
	}
}

// Ended stops counting an upload.
func (u *Usage) Ended(name, id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n := u.byName[name]; n != nil {
		n.end(id)
	}
}

// Lease counts a blob of the namespace of that name that a lease holds now, and
// the upload that it was no more.
func (u *Usage) Lease(name, id string, l Leased) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n := u.byName[name]; n != nil {
		n.end(id)
		u.lease(n, l)
	}
}

// Room is an *ExceededError when a blob to be leased is not there yet and does not
// fit.
func (u *Usage) Room(ctx context.Context, ns Namespace, l Leased, limit Amount) error {
	for {
		n, err := u.filled(ctx, ns)
		if err != nil {
			return err
		}
		sum, err := images.DigestBytes(l.Blob)
		if err != nil {
			return err
		}
		u.mu.Lock()
		n.limit = limit
		u.expire(n)
		more := n.more([]item{u.blob(sum, l.Size)})
		if more == (Amount{}) || n.used().Bytes+more.Bytes <= limit.Bytes || limit.Bytes == 0 {
			u.mu.Unlock()
			return nil
		}
		exceeded := n.exceeded(more, limit)
		again := u.readAgain(n)
		u.mu.Unlock()
		if !again {
			return exceeded
		}
	}
}

// Dropped says that a lease in the namespace of that name was ended.
func (u *Usage) Dropped(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n := u.byName[name]; n != nil {
		n.overstate = true
	}
}

// has says whether a blob counts already.
func (u *Usage) has(n *namespace, d digest.Digest) bool {
	sum, err := images.DigestBytes(d)
	return err == nil && n.more([]item{u.blob(sum, 1)}) == (Amount{})
}

func (n *namespace) end(id string) {
	n.open -= n.uploads[id].size
	delete(n.uploads, id)
}

func (u *Usage) lease(n *namespace, l Leased) {
	sum, err := images.DigestBytes(l.Blob)
	if err != nil {
		return // nothing has such a digest
	}
	it := u.blob(sum, l.Size)
	if _, held := n.held[it.key]; held {
		return
	}
	p := n.promised[it.key]
	if p == nil {
		p = &promise{amount: it.amount}
		n.promised[it.key] = p
		n.promises = n.promises.plus(it.amount)
	}
	if l.Until.After(p.until) {
		p.until = l.Until
	}
}

// expire drops leases and uploads that have ended.
func (u *Usage) expire(n *namespace) {
	now := time.Now()
	if now.Sub(n.checked) < expireEvery {
		return
	}
	n.checked = now
	for key, p := range n.promised {
		if p.pushes == 0 && !p.until.After(now) {
			delete(n.promised, key)
			if _, held := n.held[key]; !held {
				n.promises = n.promises.minus(p.amount)
			}
		}
	}
	for id, up := range n.uploads {
		if now.Sub(up.at) > forgottenAfter {
			n.end(id)
		}
	}
}
