package blobs

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"syscall"
)

const (
	smallBuffer = 64 << 10
	largeBuffer = 256 << 10
	// pipeDepth buffers let reading, hashing and writing overlap without
	// leaving the processor's cache.
	pipeDepth = 4
	// maxPipes bounds the memory of large bodies: 16 MiB. A body that comes when
	// all pipes are taken goes on with a small buffer.
	maxPipes = 16
)

// bufferPool lends byte slices of one size.
type bufferPool struct {
	size int
	pool sync.Pool
}

var (
	smallBuffers = &bufferPool{size: smallBuffer}
	largeBuffers = &bufferPool{size: largeBuffer}
)

func (p *bufferPool) get() *[]byte {
	if buf, ok := p.pool.Get().(*[]byte); ok {
		return buf
	}
	buf := make([]byte, p.size)
	return &buf
}

func (p *bufferPool) put(buf *[]byte) { p.pool.Put(buf) }

// receive appends r to an upload whose turn the caller has. A failing r leaves
// what arrived; a failing disk or a refusal leaves the upload as it was.
func (s *Store) receive(ctx context.Context, u *upload, r io.Reader) error {
	before := u.size.Load()
	err := s.receiveSmall(ctx, u, r)
	var refused *refusal
	if !errors.As(err, &refused) {
		return err
	}
	u.size.Store(before)
	u.hash = nil // it is ahead of the file now; the next write hashes the file again
	if err := s.fs.Truncate(u.f, before); err != nil {
		s.log.Error("a refused write cannot be undone, the upload is dropped", "upload", u.name, "err", err)
		s.drop(u)
		return errors.Join(refused.cause, ErrUploadUnknown)
	}
	return refused.cause
}

// refusal is an error for which the whole write is undone.
type refusal struct{ cause error }

func (r *refusal) Error() string { return r.cause.Error() }

// receiveSmall receives a body's first bytes through one small buffer, which is
// all that most bodies need.
func (s *Store) receiveSmall(ctx context.Context, u *upload, r io.Reader) error {
	buf := smallBuffers.get()
	defer smallBuffers.put(buf)
	for first := true; ; first = false {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, readErr := fill(r, *buf)
		if n > 0 {
			if err := s.admitChunk(u, n); err != nil {
				return err
			}
			if err := s.append(u, (*buf)[:n]); err != nil {
				return err
			}
			u.hash.Write((*buf)[:n])
		}
		if readErr != nil {
			return endOfBody(readErr)
		}
		if first && s.pipes.TryAcquire(1) {
			defer s.pipes.Release(1)
			return s.receiveLarge(ctx, u, r)
		}
	}
}

// receiveLarge hashes on another core while it writes and reads on.
func (s *Store) receiveLarge(ctx context.Context, u *upload, r io.Reader) error {
	free := make(chan *[]byte, pipeDepth)
	for range pipeDepth {
		free <- largeBuffers.get()
	}
	full := make(chan hashJob, pipeDepth)
	go hashAll(u.hash, full, free)
	// The hash state and the buffers are ours again when all have come back.
	defer func() {
		close(full)
		for range pipeDepth {
			largeBuffers.put(<-free)
		}
	}()
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		buf := <-free
		n, readErr := fill(r, *buf)
		if n > 0 {
			if err := s.admitChunk(u, n); err != nil {
				free <- buf
				return err
			}
		}
		full <- hashJob{buf, n} // both only read it, and it is reused only after the write
		if n > 0 {
			if err := s.append(u, (*buf)[:n]); err != nil {
				return err
			}
		}
		if readErr != nil {
			return endOfBody(readErr)
		}
	}
}

type hashJob struct {
	buf *[]byte
	n   int
}

func hashAll(h hash.Hash, full <-chan hashJob, free chan<- *[]byte) {
	for job := range full {
		h.Write((*job.buf)[:job.n])
		free <- job.buf
	}
}

func (s *Store) append(u *upload, p []byte) error {
	at := u.size.Load()
	n, err := s.fs.WriteAt(u.f, p, at)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return &refusal{fmt.Errorf("write upload: %w", noSpace(err))}
	}
	u.size.Store(at + int64(n))
	return nil
}

// admitChunk says whether an upload may grow by n bytes. It does not ask the
// context: that of an HTTP request ends in the very read that hands over the
// last bytes of a connection which broke, and these are to be kept.
func (s *Store) admitChunk(u *upload, n int) error {
	switch {
	case u.cancelled.Load():
		return ErrUploadUnknown
	case s.cfg.MaxBlobSize > 0 && u.size.Load()+int64(n) > s.cfg.MaxBlobSize:
		return &refusal{fmt.Errorf("%w: more than %d bytes", ErrTooLarge, s.cfg.MaxBlobSize)}
	}
	if err := s.admit(int64(n)); err != nil {
		return &refusal{err}
	}
	return nil
}

// fill reads until p is full or r ends, like io.ReadFull, but returns the error
// of r as it is.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}

func endOfBody(err error) error {
	if err == io.EOF {
		return nil
	}
	return fmt.Errorf("the body ended early: %w", err)
}

// noSpace makes a full disk, or a used up quota, recognizable.
func noSpace(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}
