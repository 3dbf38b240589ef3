package blobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/opencontainers/go-digest"
)

// Sync returns when every one of these blobs is durable: its content, and its
// name in blobs/. One that is durable already costs an lstat. Blobs are synced
// in parallel, and callers at the same moment share the sync of the directory.
// ErrNotFound for a blob that is not there; a blob whose file cannot be synced
// is removed, because it is unknown what the disk has of it.
func (s *Store) Sync(ctx context.Context, ds ...digest.Digest) error {
	var mine, waitFor []*pendingBlob
	for _, d := range ds {
		if err := checkDigest(d); err != nil {
			return err
		}
		p := s.pending.get(d)
		if p == nil {
			if _, err := s.statDurable(d); err != nil {
				return fmt.Errorf("sync %s: %w", d, err)
			}
			continue
		}
		waitFor = append(waitFor, p)
	}
	for _, p := range waitFor { // what is started here has to be completed: no return in between
		if s.pending.start(p) {
			mine = append(mine, p)
		}
	}
	if len(mine) > 0 {
		for _, p := range mine[1:] {
			go s.complete(p)
		}
		s.complete(mine[0])
	}
	for _, p := range waitFor {
		select {
		case <-p.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if p.err != nil {
			return p.err
		}
	}
	return s.failure()
}

// completeInBackground starts a sync that a later Sync waits for.
func (s *Store) completeInBackground(p *pendingBlob) {
	if !s.pending.start(p) {
		return
	}
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		s.complete(p)
	}()
}

func (s *Store) completeAll() error {
	var errs []error
	for _, d := range s.pending.all() {
		if p := s.pending.get(d); p != nil {
			<-p.named
			s.completeInBackground(p)
			<-p.done
			errs = append(errs, p.err)
		}
	}
	return errors.Join(errs...)
}

// complete makes a pending blob durable, which ends its being pending. It ignores
// cancellation, since others wait for it.
func (s *Store) complete(p *pendingBlob) {
	<-p.named
	if p.f == nil {
		return // abandoned, which has closed done
	}
	if err := s.makeDurable(p); err != nil {
		p.err = fmt.Errorf("make %s durable: %w", p.digest, err)
		s.log.Error("a blob is lost, its file cannot be made durable", "digest", p.digest, "err", err)
		if err := s.fs.Remove(s.pendingPath(p.digest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.log.Warn("the file of a lost blob cannot be removed", "digest", p.digest, "err", err)
		}
	}
	p.f.Close()
	s.pending.remove(p)
	close(p.done)
}

func (s *Store) makeDurable(p *pendingBlob) error {
	if err := s.failure(); err != nil {
		return err
	}
	if err := s.fs.Sync(p.f); err != nil {
		return err
	}
	d, path := p.digest, s.blobPath(p.digest)
	var old int64
	info, err := s.fs.Lstat(path)
	if err == nil {
		old = info.Size()
	}
	count := s.usage.adding(d, err == nil, old)
	if err := s.fs.Rename(s.pendingPath(d), path); err != nil {
		return noSpace(err)
	}
	count(p.size)
	if err := s.dirOf(d).sync(); err != nil {
		// The blob has its name, and it is unknown whether the disk has that.
		s.broken.CompareAndSwap(nil, &err)
		return err
	}
	if s.damaged.remove(d) && s.cfg.Repaired != nil {
		s.cfg.Repaired(d)
	}
	return nil
}

// failure is why nothing can be made durable any more, until a restart.
func (s *Store) failure() error {
	if err := s.broken.Load(); err != nil {
		return fmt.Errorf("the disk has failed to sync a directory; check it and start again: %w", *err)
	}
	return nil
}

// A blobDir is one directory below blobs/. Callers that want it synced while
// it is being synced share the next sync.
type blobDir struct {
	path string
	fs   FS
	f    *os.File

	mu      sync.Mutex
	running bool
	next    *dirSync
}

type dirSync struct {
	done chan struct{}
	err  error
}

// open also syncs: names that a killed process left behind count from here on.
func (b *blobDir) open(fsys FS, path string) (err error) {
	b.path, b.fs = path, fsys
	if b.f, err = fsys.OpenFile(path, os.O_RDONLY); err != nil {
		return err
	}
	return fsys.Sync(b.f)
}

func (b *blobDir) close() error { return b.f.Close() }

// sync makes durable every name that was in the directory when it was called.
func (b *blobDir) sync() error {
	b.mu.Lock()
	if b.running {
		if b.next == nil {
			b.next = &dirSync{done: make(chan struct{})}
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
func (b *blobDir) handOver() {
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
