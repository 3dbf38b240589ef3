package blobs

import (
	"os"
	"sync"
)

// A sharedSync is a file, or a directory below blobs/, that many want synced: callers
// that come while it is being synced share the next sync.
type sharedSync struct {
	path string
	fs   FS
	f    *os.File

	mu      sync.Mutex
	running bool
	next    *nextSync
}

type nextSync struct {
	done chan struct{}
	err  error
}

// open also syncs: names that a killed process left behind count from here on.
func (b *sharedSync) open(fsys FS, path string) (err error) {
	b.path, b.fs = path, fsys
	if b.f, err = fsys.OpenFile(path, os.O_RDONLY); err != nil {
		return err
	}
	return fsys.Sync(b.f)
}

func (b *sharedSync) close() error { return b.f.Close() }

// sync makes durable what was in the file, or every name in the directory, when it was called.
func (b *sharedSync) sync() error {
	b.mu.Lock()
	if b.running {
		if b.next == nil {
			b.next = &nextSync{done: make(chan struct{})}
		}
		shared := b.next
		b.mu.Unlock()
		<-shared.done
		return shared.err
	}
	b.running = true
	b.mu.Unlock()
	err := b.fs.Sync(b.f)
	b.handOver()
	return err
}

// handOver ends one sync and begins the next if a caller waits for it.
func (b *sharedSync) handOver() {
	b.mu.Lock()
	defer b.mu.Unlock()
	shared := b.next
	if shared == nil {
		b.running = false
		return
	}
	b.next = nil
	go func() {
		shared.err = b.fs.Sync(b.f)
		close(shared.done)
		b.handOver()
	}()
}
