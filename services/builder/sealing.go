package builder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/sealedlog"
	"hubledger/services/internal/process"
)

// An Archive keeps files by their digest.
type Archive interface {
	// Put keeps what write writes. It returns when that is on the disk.
	Put(ctx context.Context, write func(io.Writer) error) (d digest.Digest, size int64, err error)
	// Open's error wraps fs.ErrNotExist when the file is not there.
	Open(ctx context.Context, d digest.Digest) (io.ReadSeekCloser, error)
	// RemoveOlder removes files that were put before a time.
	RemoveOlder(ctx context.Context, than time.Time) error
}

// sealAfter is how long after the end of a build its log is sealed: until then its
// builder may have something to add.
const (
	sealAfter = lastWords + sealEvery
	sealEvery = 10 * time.Second
)

// sealing is the process manager that makes a file of the log of a build that has ended,
// and frees the stream of it.
func (s *Builder) sealing() process.Manager {
	return process.Manager{
		Name:   "build-logs",
		Source: source,
		Every:  sealEvery,
		View:   s.View,
		Due: func(ctx context.Context, now time.Time) ([]process.Task, error) {
			if s.Log == nil || s.Archive == nil {
				return nil, nil
			}
			ended, err := s.Read.Unsealed(ctx, now.Add(-sealAfter), process.MaxDue)
			return tasksOf(ended), err
		},
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			b, err := s.Read.Build(ctx, t.Key)
			if err != nil {
				return nil, err
			}
			sealed, err := s.seal(ctx, b)
			if err != nil {
				return nil, err
			}
			return &process.Completion{Event: *sealed}, nil
		},
		Done: func(ctx context.Context, t process.Task) error { return s.Log.Drop(ctx, t.Key) },
	}
}

// seal makes the file. Made twice, it is the same.
func (s *Builder) seal(ctx context.Context, b *builds.Build) (*events.BuildLogSealed, error) {
	sealed := &events.BuildLogSealed{Namespace: b.Namespace, Build: b.ID, Repository: b.Repository}
	chunks, err := s.Log.Read(ctx, b.ID, 0, maxPiece)
	if err != nil || len(chunks) == 0 {
		return sealed, err
	}
	d, size, err := s.Archive.Put(ctx, func(to io.Writer) error {
		w := sealedlog.NewWriter(to)
		for len(chunks) > 0 {
			for _, c := range chunks {
				if err := w.Write(c); err != nil {
					return err
				}
			}
			if chunks, err = s.Log.Read(ctx, b.ID, chunks[len(chunks)-1].Seq, maxPiece); err != nil {
				return err
			}
		}
		sealed.Written = w.Bytes()
		return w.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("keep the log of a build: %w", err)
	}
	sealed.Digest, sealed.Size = d.String(), size
	return sealed, nil
}

// dropSealed frees the stream of what was sealed: the process may have been killed
// before it did, and a builder may have written something late.
func (s *Builder) dropSealed(ctx context.Context) error {
	if s.Log == nil {
		return nil
	}
	list, err := s.Log.Builds(ctx)
	if err != nil {
		return err
	}
	for _, build := range list {
		_, err := s.Read.SealedLog(ctx, build)
		if errors.Is(err, builds.ErrNotFound) {
			continue
		}
		if err == nil {
			err = s.Log.Drop(ctx, build)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetLogs removes logs from the archive whose time is over.
func (s *Builder) forgetLogs(ctx context.Context) error {
	if s.Archive == nil || s.LogTerm == 0 {
		return nil
	}
	return s.Archive.RemoveOlder(ctx, time.Now().Add(-s.LogTerm))
}
