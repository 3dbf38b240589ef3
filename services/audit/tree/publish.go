package tree

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/services/audit/checkpoint"
	"hubledger/services/internal/durable"
)

// putEdge writes the tiles that are not full.
func putEdge(files *durable.Batch, edge *Edge) error {
	for _, t := range edge.partial() {
		if err := files.Put(path(t), edge.Tile(t.L)); err != nil {
			return err
		}
	}
	return nil
}

func (e *Edge) partial() (list []tlog.Tile) {
	for level := range e.Levels() {
		if w := len(e.Tile(level)) / tlog.HashSize; w > 0 {
			list = append(list, tlog.Tile{H: Height, L: level, N: e.size >> (Height * level) / Width, W: w})
		}
	}
	return list
}

// publish signs, when the tiles are on disk. A tile may be there without a checkpoint, but
// no checkpoint without its tiles.
func (g *Grower) publish(ctx context.Context, c checkpoint.Checkpoint, edge *Edge, files *durable.Batch, filled []tlog.Tile) error {
	key, err := g.Key(ctx)
	if err != nil {
		return err
	}
	signer, err := checkpoint.NewSigner(c.Origin, key)
	if err != nil {
		return err
	}
	public, err := checkpoint.PublicKey(c.Origin, key.Public().(ed25519.PublicKey))
	if err != nil {
		return err
	}
	keys, err := g.Dir.Keys()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !slices.Contains(keys, public) { // the first one, or the secrets were lost
		if err := files.Put("keys", []byte(strings.Join(append(keys, public), "\n")+"\n")); err != nil {
			return err
		}
	}
	if err := putEdge(files, edge); err != nil {
		return err
	}
	if err := files.Sync(); err != nil {
		return err
	}
	signed, err := c.Sign(signer)
	if err != nil {
		return err
	}
	if err := files.Put("checkpoint", signed); err != nil {
		return err
	}
	if err := files.Sync(); err != nil {
		return err
	}
	return g.drop(append(filled, edge.partial()...))
}

// drop removes the beginnings of tiles that have grown.
func (g *Grower) drop(tiles []tlog.Tile) error {
	for _, t := range tiles {
		full := t
		full.W = Width
		dir := g.Dir.file(path(full)) + ".p"
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			if name := dir + "/" + e.Name(); name != g.Dir.file(path(t)) {
				if err := g.fs().Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
		}
		if t.W == Width {
			if err := g.fs().Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
