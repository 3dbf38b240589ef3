package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/blobs"
)

// An archive keeps the logs of builds that have ended, by their digest, in a directory
// of this node. Nobody can pull them.
type archive struct{ store *blobs.Store }

// archived is the directory in the data directory, and the name of its uploads.
const archived = "build-logs"

func (n *Node) openArchive() (*archive, error) {
	store, err := blobs.Open(blobs.Config{Dir: filepath.Join(n.Data, archived), Log: n.Logger, Reserve: n.Reserve})
	if err != nil {
		return nil, err
	}
	return &archive{store}, nil
}

// Put is of builder.Archive.
func (a *archive) Put(ctx context.Context, write func(io.Writer) error) (d digest.Digest, size int64, err error) {
	id, err := a.store.Begin(ctx, archived)
	if err != nil {
		return "", 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.store.Cancel(context.WithoutCancel(ctx), archived, id))
		}
	}()
	from, to := io.Pipe()
	sum := digest.Canonical.Digester()
	go func() { to.CloseWithError(write(io.MultiWriter(to, sum.Hash()))) }()
	_, err = a.store.Write(ctx, archived, id, 0, from)
	from.CloseWithError(errors.New("the rest is not read")) // ends write, which has written all unless Write failed
	if err != nil {
		return "", 0, err
	}
	d = sum.Digest()
	if size, err = a.store.Finish(ctx, archived, id, d, nil); err != nil {
		return "", 0, err
	}
	return d, size, a.store.Sync(ctx, d)
}

// Open is of builder.Archive.
func (a *archive) Open(ctx context.Context, d digest.Digest) (io.ReadSeekCloser, error) {
	file, _, err := a.store.Open(ctx, d)
	if errors.Is(err, blobs.ErrNotFound) {
		return nil, fmt.Errorf("%s: %w", d, fs.ErrNotExist)
	}
	return file, err
}

// RemoveOlder is of builder.Archive.
func (a *archive) RemoveOlder(ctx context.Context, than time.Time) error {
	return a.store.Walk(ctx, func(d digest.Digest, _ int64, modified time.Time) error {
		if !modified.Before(than) {
			return nil
		}
		return a.store.Remove(ctx, d)
	})
}
