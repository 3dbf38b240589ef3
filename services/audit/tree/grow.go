package tree

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/events"
	"hubledger/services/audit/checkpoint"
	"hubledger/services/internal/durable"
)

// A Grower adds leaves to the tree of a directory, and signs it. All fields but those
// that may be nil are required.
type Grower struct {
	Dir Dir
	FS  durable.FS // nil: durable.OS
	// Origin names the log in the first checkpoint; those that follow keep its name.
	Origin string
	Key    func(ctx context.Context) (ed25519.PrivateKey, error)
	// Leaves calls yield with the leaves behind a sequence up to another one, in order.
	Leaves func(ctx context.Context, after, to uint64, yield func(events.Leaf) error) error
	// Before is the tree of the generation that this log was restored from; nil: none.
	Before *Before

	mu sync.Mutex
}

// Before is the tree of an earlier generation of the log.
type Before struct {
	Dir  Dir
	Kept uint64 // how many of its events this generation has
}

// A ContradictionError says that the log is not the one of which a checkpoint was signed.
type ContradictionError struct{ Detail string }

func (e *ContradictionError) Error() string { return e.Detail }

func contradiction(format string, v ...any) error {
	return &ContradictionError{fmt.Sprintf(format, v...)}
}

// maxStep is how many events at most one checkpoint adds, so that what is done of a long
// log is kept when the hub is stopped.
const maxStep = 1 << 20

// Grow makes the tree that of the first so many events, and signs it. Nothing is signed that
// the last signed checkpoint contradicts: the error is a *ContradictionError then.
func (g *Grower) Grow(ctx context.Context, to uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		at, err := g.step(ctx, int64(to))
		if err != nil || at >= int64(to) {
			return err
		}
	}
}

func (g *Grower) fs() durable.FS {
	if g.FS == nil {
		return durable.OS{}
	}
	return g.FS
}

// step signs once, unless nothing has come since the last checkpoint, and returns how many
// events are signed.
func (g *Grower) step(ctx context.Context, to int64) (signed int64, err error) {
	c, edge, err := g.last(ctx, to)
	if err != nil || c.N >= to {
		return c.N, err
	}
	to = min(to, c.N+maxStep)
	var common int64
	var want tlog.Hash
	if c.N == 0 && g.Before != nil {
		if common, want, err = g.Before.common(); err != nil {
			return 0, err
		}
		to = max(to, common)
	}
	files := durable.NewBatch(g.fs(), string(g.Dir))
	var filled []tlog.Tile
	err = g.Leaves(ctx, uint64(c.N), uint64(to), func(l events.Leaf) error {
		err := edge.Add(tlog.Hash(l), func(level int, n int64, data []byte) error {
			t := tlog.Tile{H: Height, L: level, N: n, W: Width}
			filled = append(filled, t)
			return files.Put(path(t), data)
		})
		if err == nil && edge.Size() == common && edge.Root() != want {
			err = contradiction("the first %d events are not those that the log had before it was restored (%s)", common, g.Before.Dir)
		}
		return err
	})
	if err == nil && edge.Size() != to {
		err = fmt.Errorf("the journal ends at event %d, before event %d", edge.Size(), to)
	}
	if err != nil {
		return c.N, err
	}
	c.N, c.Hash = edge.Size(), edge.Root()
	return c.N, g.publish(ctx, c, edge, files, filled)
}

// last is the last signed checkpoint, and the edge of its tree. A tree whose tiles are
// damaged is made anew, if the log is the one that was signed.
func (g *Grower) last(ctx context.Context, to int64) (checkpoint.Checkpoint, *Edge, error) {
	_, c, err := g.Dir.Signed()
	var file *os.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return checkpoint.Checkpoint{Origin: g.Origin}, &Edge{}, nil
	case errors.As(err, &file):
		return c, nil, err
	case err != nil:
		return c, nil, contradiction("the last signed checkpoint in %s cannot be trusted, so no other one is signed: %v", g.Dir, err)
	case to < c.N:
		return c, nil, contradiction("the log ends at event %d, but a checkpoint of %d events was signed", to, c.N)
	}
	edge, err := g.Dir.edge(c.N)
	if err == nil && edge.Root() == c.Hash {
		return c, edge, nil
	}
	// First only looked at: what is on disk may be the last trace of what was signed.
	if err := g.compare(ctx, c); err != nil {
		return c, nil, err
	}
	edge = &Edge{}
	files := durable.NewBatch(g.fs(), string(g.Dir))
	err = g.Leaves(ctx, 0, uint64(c.N), func(l events.Leaf) error {
		return edge.Add(tlog.Hash(l), func(level int, n int64, data []byte) error {
			return files.Put(path(tlog.Tile{H: Height, L: level, N: n, W: Width}), data)
		})
	})
	if err == nil {
		err = putEdge(files, edge)
	}
	return c, edge, errors.Join(err, files.Sync())
}

// Compare computes the last signed root anew from all leaves. The error is a
// *ContradictionError when they lead to another one.
func (g *Grower) Compare(ctx context.Context) error {
	_, c, err := g.Dir.Signed()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return g.compare(ctx, c)
}

func (g *Grower) compare(ctx context.Context, c checkpoint.Checkpoint) error {
	edge := &Edge{}
	err := g.Leaves(ctx, 0, uint64(c.N), func(l events.Leaf) error {
		return edge.Add(tlog.Hash(l), func(int, int64, []byte) error { return nil })
	})
	if err != nil {
		return err
	}
	if edge.Size() != c.N || edge.Root() != c.Hash {
		return contradiction("the first %d events are not those of which a checkpoint was signed", c.N)
	}
	return nil
}

// common is how many events this generation and the one before have in common for
// sure, and the root hash of these; 0 when nothing was signed before.
func (b *Before) common() (n int64, root tlog.Hash, err error) {
	_, c, err := b.Dir.Signed()
	if errors.Is(err, fs.ErrNotExist) {
		return 0, root, nil
	}
	if err == nil {
		if n = min(c.N, int64(b.Kept)); n == c.N {
			return n, c.Hash, nil
		}
		if n > 0 {
			root, err = tlog.TreeHash(n, b.Dir.Hashes(c.Tree))
		}
	}
	if err != nil {
		err = fmt.Errorf("what was signed before the log was restored cannot be read; to go on without comparing, move %s away: %w", b.Dir, err)
	}
	return n, root, err
}
