package blobs

import (
	"container/list"
	"hash"
	"os"
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
)

// An upload that this process has touched. Fields without a note belong to the
// caller that holds turn.
type upload struct {
	name      string
	turn      chan struct{} // holds one token while someone works on the upload
	f         *os.File      // nil: not open
	hash      hash.Hash     // SHA-256 of what arrived; nil: to be read again
	dead      bool          // finished or dropped by its holder
	size      atomic.Int64  // written by the holder, read by anyone
	cancelled atomic.Bool

	users int           // guarded by the table: who holds it or waits for it
	idle  *list.Element // guarded by the table: its element in open or parked
}

// uploadTable remembers uploads, so that their next chunk needs no reading of
// what has arrived. Idle uploads are kept in order of use: the first maxOpen with
// their file open, up to maxIdle with their hash state, the rest only on disk.
type uploadTable struct {
	fs      FS
	maxOpen int
	maxIdle int

	mu     sync.Mutex
	byName map[string]*upload
	open   list.List // idle uploads with an open file, the last used first
	parked list.List // idle uploads without
}

func (t *uploadTable) add(name string, f *os.File) {
	u := newUpload(name)
	u.f, u.hash = f, digest.SHA256.Hash()
	u.size.Store(0)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byName[name] = u
	t.putIdle(u)
}

// newUpload makes one whose size is not known until load has seen its file.
func newUpload(name string) *upload {
	u := &upload{name: name, turn: make(chan struct{}, 1)}
	u.size.Store(-1)
	return u
}

// enter registers a user, who then waits for the turn.
func (t *uploadTable) enter(name string) *upload {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.byName[name]
	if u == nil {
		u = newUpload(name)
		t.byName[name] = u
	}
	u.users++
	if u.idle != nil {
		t.open.Remove(u.idle) // each removes only an element of its own
		t.parked.Remove(u.idle)
		u.idle = nil
	}
	return u
}

// release gives the turn back.
func (t *uploadTable) release(u *upload) {
	<-u.turn
	t.leave(u)
}

func (t *uploadTable) leave(u *upload) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u.users--; u.users == 0 {
		t.putIdle(u)
	}
}

// putIdle lists an upload that has no users any more, and pushes the last ones
// out of the lists. The caller holds mu.
func (t *uploadTable) putIdle(u *upload) {
	if u.dead || u.cancelled.Load() {
		t.forget(u)
		return
	}
	if u.f == nil {
		u.idle = t.parked.PushFront(u)
	} else {
		u.idle = t.open.PushFront(u)
	}
	if t.open.Len() > t.maxOpen {
		last := t.open.Remove(t.open.Back()).(*upload)
		last.f.Close()
		last.f = nil
		last.idle = t.parked.PushFront(last)
	}
	if t.parked.Len() > t.maxIdle {
		t.forget(t.parked.Back().Value.(*upload))
	}
}

func (t *uploadTable) forget(u *upload) {
	if u.f != nil {
		u.f.Close()
		u.f = nil
	}
	if u.idle != nil {
		t.open.Remove(u.idle)
		t.parked.Remove(u.idle)
		u.idle = nil
	}
	delete(t.byName, u.name)
}

// size is that of an upload the table knows.
func (t *uploadTable) size(name string) (int64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.byName[name]
	if u == nil || u.cancelled.Load() {
		return 0, false
	}
	size := u.size.Load()
	return size, size >= 0
}

// kill ends an upload; a caller that works on it finds it cancelled.
func (t *uploadTable) kill(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.byName[name]
	if u == nil {
		return
	}
	u.cancelled.Store(true)
	if u.users == 0 {
		t.forget(u)
	}
}

func (t *uploadTable) busy(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.byName[name]
	return u != nil && u.users > 0
}

func (t *uploadTable) closeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, u := range t.byName {
		if u.users == 0 {
			t.forget(u)
		}
	}
}
