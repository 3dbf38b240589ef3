package registrytest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/blobs"
)

// Memory is a registry.Blobs that keeps everything in memory: a second
// implementation, which has no files, no renames and nothing to sync. The zero
// Memory is empty.
type Memory struct {
	mu      sync.Mutex
	blobs   map[digest.Digest]memoryBlob
	uploads map[string][]byte // by repository and id
}

type memoryBlob struct {
	content []byte
	written time.Time
}

// memoryContent is a blob that is open for reading.
type memoryContent struct{ *bytes.Reader }

func (memoryContent) Close() error { return nil }

// Stat implements registry.Blobs.
func (m *Memory) Stat(_ context.Context, d digest.Digest) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.blobs[d]
	if !ok {
		return 0, blobs.ErrNotFound
	}
	return int64(len(b.content)), nil
}

// Open implements registry.Blobs.
func (m *Memory) Open(_ context.Context, d digest.Digest) (io.ReadSeekCloser, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.blobs[d]
	if !ok {
		return nil, 0, blobs.ErrNotFound
	}
	return memoryContent{bytes.NewReader(b.content)}, int64(len(b.content)), nil
}

// Sync implements registry.Blobs: what is complete is as durable as it gets.
func (m *Memory) Sync(ctx context.Context, ds ...digest.Digest) error {
	for _, d := range ds {
		if _, err := m.Stat(ctx, d); err != nil {
			return fmt.Errorf("sync %s: %w", d, err)
		}
	}
	return nil
}

// Begin implements registry.Blobs.
func (m *Memory) Begin(_ context.Context, repository string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := uuid.NewString()
	if m.uploads == nil {
		m.uploads = map[string][]byte{}
	}
	m.uploads[repository+" "+id] = nil
	return id, nil
}

// Write implements registry.Blobs. Nobody writes to one upload twice at a time.
func (m *Memory) Write(ctx context.Context, repository, id string, at int64, r io.Reader) (int64, error) {
	end, err := m.Offset(ctx, repository, id)
	if err != nil {
		return 0, err
	}
	if at >= 0 && at != end {
		return end, &blobs.OffsetError{Offset: end}
	}
	content, err := io.ReadAll(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	key := repository + " " + id
	m.uploads[key] = append(m.uploads[key], content...)
	return int64(len(m.uploads[key])), err
}

// Finish implements registry.Blobs.
func (m *Memory) Finish(ctx context.Context, repository, id string, d digest.Digest, claim func(context.Context) error) (int64, error) {
	if _, err := m.Offset(ctx, repository, id); err != nil {
		return 0, err
	}
	m.mu.Lock()
	content := m.uploads[repository+" "+id]
	m.mu.Unlock()
	if d.Algorithm().FromBytes(content) != d {
		return 0, fmt.Errorf("%w: %w", blobs.ErrDigestMismatch, m.Cancel(ctx, repository, id))
	}
	size, err := m.keep(ctx, d, content, claim)
	if err != nil {
		return 0, err
	}
	return size, m.Cancel(ctx, repository, id)
}

// Put implements registry.Blobs.
func (m *Memory) Put(ctx context.Context, d digest.Digest, r io.Reader, _ int64, claim func(context.Context) error) (int64, error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return 0, err
	}
	if d.Algorithm().FromBytes(content) != d {
		return 0, blobs.ErrDigestMismatch
	}
	return m.keep(ctx, d, content, claim)
}

func (m *Memory) keep(ctx context.Context, d digest.Digest, content []byte, claim func(context.Context) error) (int64, error) {
	if err := claim(ctx); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.blobs == nil {
		m.blobs = map[digest.Digest]memoryBlob{}
	}
	m.blobs[d] = memoryBlob{content, time.Now()}
	return int64(len(content)), nil
}

// Offset implements registry.Blobs.
func (m *Memory) Offset(_ context.Context, repository, id string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	content, ok := m.uploads[repository+" "+id]
	if !ok {
		return 0, blobs.ErrUploadUnknown
	}
	return int64(len(content)), nil
}

// Cancel implements registry.Blobs.
func (m *Memory) Cancel(ctx context.Context, repository, id string) error {
	_, err := m.Offset(ctx, repository, id)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.uploads, repository+" "+id)
	return err
}

// Walk implements registry.Blobs.
func (m *Memory) Walk(_ context.Context, fn func(d digest.Digest, size int64, modified time.Time) error) error {
	m.mu.Lock()
	all := maps.Clone(m.blobs)
	m.mu.Unlock()
	for d, b := range all {
		if err := fn(d, int64(len(b.content)), b.written); err != nil {
			return err
		}
	}
	return nil
}

// Remove implements registry.Blobs.
func (m *Memory) Remove(_ context.Context, d digest.Digest) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.blobs, d)
	return nil
}

// Count is how many blobs there are.
func (m *Memory) Count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.blobs)
}
