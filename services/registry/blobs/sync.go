package blobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	var small []*pendingBlob
	for _, p := range waitFor { // what is started here has to be completed: no return in between
		if !s.pending.start(p) {
			continue
		}
		<-p.named // its size is known from then on
		if p.size <= journaled {
			small = append(small, p)
		} else {
			mine = append(mine, p)
		}
	}
	for _, p := range mine {
		go s.complete(p)
	}
	if len(small) > 0 {
		s.completeSmall(small)
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

// completeSmall makes small blobs durable by the journal, all by one sync, or if that
// cannot be written, like large ones.
func (s *Store) completeSmall(ps []*pendingBlob) {
	kept := batches.Get().(*[]byte)
	batch, err := s.records((*kept)[:0], ps)
	var named func()
	if err == nil {
		named, err = s.journal.write(batch)
	}
	if cap(batch) <= maxBatch {
		*kept = batch
		batches.Put(kept)
	}
	if err != nil {
		for _, p := range ps[1:] {
			go s.complete(p)
		}
		s.complete(ps[0])
		return
	}
	for _, p := range ps {
		if p.f != nil {
			s.completed(p, s.name(p))
		}
	}
	named()
}

// batches lends what records are made in. Larger ones are not kept.
var batches = sync.Pool{New: func() any { return new([]byte) }}

const maxBatch = 1 << 20

// records appends what the journal keeps of blobs to a batch.
func (s *Store) records(batch []byte, ps []*pendingBlob) (_ []byte, err error) {
	for _, p := range ps {
		if p.f == nil {
			continue // abandoned, which has closed done
		}
		if batch, err = appendRecord(batch, p.digest, p.f, int(p.size)); err != nil {
			return batch, fmt.Errorf("read %s: %w", p.digest, err)
		}
	}
	return batch, nil
}

// complete makes a pending blob durable, which ends its being pending. It ignores
// cancellation, since others wait for it.
func (s *Store) complete(p *pendingBlob) {
	<-p.named
	if p.f == nil {
		return // abandoned, which has closed done
	}
	s.completed(p, s.makeDurable(p))
}

// completed ends the pending of a blob that is durable, or lost for this reason.
func (s *Store) completed(p *pendingBlob, err error) {
	if err != nil {
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
	if err := s.name(p); err != nil {
		return err
	}
	if err := s.dirOf(p.digest).sync(); err != nil {
		s.fail(err) // the blob has its name, and it is unknown whether the disk has that
		return err
	}
	return nil
}

// name moves a pending blob to where durable ones are.
func (s *Store) name(p *pendingBlob) error {
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
	if s.damaged.remove(d) && s.cfg.Repaired != nil {
		s.cfg.Repaired(d)
	}
	return nil
}

// fail records that the disk has failed to sync.
func (s *Store) fail(err error) { s.broken.CompareAndSwap(nil, &err) }

// failure is why nothing can be made durable any more, until a restart.
func (s *Store) failure() error {
	if err := s.broken.Load(); err != nil {
		return fmt.Errorf("the disk has failed to sync; check it and start again: %w", *err)
	}
	return nil
}
