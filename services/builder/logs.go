package builder

import (
	"context"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/sealedlog"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// maxPiece bounds a piece of a log, in bytes.
const maxPiece = 1 << 20

// readLog returns the first chunks of a build's log behind a sequence: of the file when
// the log is sealed, or else of the stream. When the build has ended and there are none,
// that was all.
func (s *Builder) readLog(ctx context.Context, b *builds.Build, after uint64) ([]sealedlog.Chunk, error) {
	if s.Log == nil {
		return nil, events.ErrReadOnly
	}
	if b.State == builds.Ended {
		if chunks, err := s.readSealed(ctx, b, after); !errors.Is(err, builds.ErrNotFound) {
			return chunks, err
		}
	}
	chunks, err := s.Log.Read(ctx, b.ID, after, maxPiece)
	if err != nil || len(chunks) > 0 || b.State != builds.Ended {
		return chunks, err
	}
	// It may have been sealed meanwhile, and the stream freed of it.
	if chunks, err = s.readSealed(ctx, b, after); errors.Is(err, builds.ErrNotFound) {
		return nil, nil
	}
	return chunks, err
}

// readSealed reads from the file. builds.ErrNotFound while the log is not sealed.
func (s *Builder) readSealed(ctx context.Context, b *builds.Build, after uint64) ([]sealedlog.Chunk, error) {
	sealed, err := s.Read.SealedLog(ctx, b.ID)
	if err != nil || sealed.Digest == "" {
		return nil, err
	}
	file, err := s.Archive.Open(ctx, digest.Digest(sealed.Digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, endpoint.Fail(http.StatusGone, "the log of the build is not kept any more, or on another node; the digest of its file was "+sealed.Digest)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return sealedlog.Read(file, after, maxPiece)
}

type logIn struct {
	BuildPath
	After uint64 `query:"after" maximum:"9007199254740991" doc:"Where the piece begins: the next of the one before"`
}

func shownChunk(c sealedlog.Chunk) apitypes.BuildLogChunk {
	return apitypes.BuildLogChunk{Step: c.Step, Time: c.Time.UTC(), Text: strings.ToValidUTF8(string(c.Data), "\uFFFD")}
}

func (s *Builder) log(ctx context.Context, c *endpoint.Call, in *logIn) (*openapi.Answer[apitypes.BuildLog], error) {
	b, err := s.find(ctx, c, in.Build)
	if err != nil {
		return nil, err
	}
	chunks, err := s.readLog(ctx, b, in.After)
	if err != nil {
		return nil, err
	}
	view := apitypes.BuildLog{Chunks: make([]apitypes.BuildLogChunk, len(chunks)), Next: in.After, Ended: b.State == builds.Ended}
	for k, chunk := range chunks {
		view.Chunks[k], view.Next = shownChunk(chunk), chunk.Seq
	}
	return openapi.Show(view), nil
}

// rawLog is what a build has written so far, byte for byte.
func (s *Builder) rawLog(ctx context.Context, c *endpoint.Call, in *BuildPath) (func(context.Context, http.ResponseWriter) error, error) {
	b, err := s.find(ctx, c, in.Build)
	if err != nil {
		return nil, err
	}
	chunks, err := s.readLog(ctx, b, 0)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, to http.ResponseWriter) error {
		to.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "build-" + apitypes.ShortID(b.ID) + ".log"}))
		for len(chunks) > 0 {
			for _, chunk := range chunks {
				if _, err := to.Write(chunk.Data); err != nil {
					return err
				}
			}
			if b, err = s.Read.Build(ctx, b.ID); err != nil { // it may have ended, and its log be sealed
				return err
			}
			if chunks, err = s.readLog(ctx, b, chunks[len(chunks)-1].Seq); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

type liveIn struct {
	BuildPath
	openapi.Resume
	After uint64 `query:"after" maximum:"9007199254740991" doc:"The same for the first request, of which a browser sets no headers"`
}

// How often a live log looks for more, and for what has become of the build.
const (
	lookForLog   = 100 * time.Millisecond
	lookForState = 500 * time.Millisecond
)

// liveLog sends a build's log as it comes, and each change of the build's state. The
// last event is that of the end.
func (s *Builder) liveLog(ctx context.Context, c *endpoint.Call, in *liveIn) (func(context.Context, *openapi.Events) error, error) {
	if _, err := s.find(ctx, c, in.Build); err != nil {
		return nil, err
	}
	name, after := c.Repository.Name, max(in.LastEventID, in.After)
	return func(ctx context.Context, to *openapi.Events) error {
		var b *builds.Build
		var told apitypes.Build
		for looked := (time.Time{}); ; {
			if time.Since(looked) >= lookForState {
				looked = time.Now()
				var err error
				if b, err = s.Read.Build(ctx, in.Build); err != nil {
					return err
				}
				now, err := s.placed(ctx, name, b)
				if err != nil {
					return err
				}
				changed := now.State != told.State || now.Detail != told.Detail || now.Position != told.Position
				if told = now; changed && b.State != builds.Ended { // the end comes behind the log
					if err := to.Send(0, "build", now); err != nil {
						return err
					}
				}
			}
			chunks, err := s.readLog(ctx, b, after)
			if err != nil {
				return err
			}
			for _, chunk := range chunks {
				if err := to.Send(chunk.Seq, "log", shownChunk(chunk)); err != nil {
					return err
				}
				after = chunk.Seq
			}
			switch {
			case len(chunks) > 0:
				continue
			case b.State == builds.Ended:
				return to.Send(0, "end", told)
			}
			if err := to.Alive(); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(lookForLog):
			}
		}
	}, nil
}
