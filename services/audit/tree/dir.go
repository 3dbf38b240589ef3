package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/services/audit/checkpoint"
)

// A Dir is the directory of one tree, laid out as it is served: checkpoint, and
// tile/<level>/<n>[.p/<Width>]. keys has the public keys that have signed, the latest last.
type Dir string

// Of is the directory for the tree of one generation of the log in a data directory.
func Of(data, generation string) Dir { return Dir(filepath.Join(data, "proofs", generation)) }

func (d Dir) file(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

// Keys are the public keys that have signed checkpoints. The error wraps fs.ErrNotExist
// when nothing was signed yet.
func (d Dir) Keys() (checkpoint.Keys, error) {
	text, err := os.ReadFile(d.file("keys"))
	if err != nil {
		return nil, err
	}
	keys, err := checkpoint.ParseKeys(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.file("keys"), err)
	}
	return keys, nil
}

// Signed is the last signed checkpoint, as it is and read. The error wraps fs.ErrNotExist
// when nothing was signed yet.
func (d Dir) Signed() (signed []byte, c checkpoint.Checkpoint, err error) {
	if signed, err = os.ReadFile(d.file("checkpoint")); err != nil {
		return nil, c, err
	}
	keys, err := d.Keys()
	if errors.Is(err, fs.ErrNotExist) { // keys are written before the first checkpoint
		return nil, c, fmt.Errorf("%s is missing", d.file("keys"))
	}
	if err != nil {
		return nil, c, err
	}
	c, err = checkpoint.Open(signed, keys)
	return signed, c, err
}

// path is where a tile is, below the directory.
func path(t tlog.Tile) string { return "tile/" + strings.TrimPrefix(t.Path(), "tile/8/") }

// ParsePath is the tile that a path below the directory names, such as
// "tile/0/x001/234.p/5".
func ParsePath(path string) (tlog.Tile, error) {
	rest, ok := strings.CutPrefix(path, "tile/")
	t, err := tlog.ParseTilePath("tile/8/" + rest)
	if !ok || err != nil || t.L < 0 || t.L >= maxLevels {
		return t, fmt.Errorf("%.100q does not name a tile", path)
	}
	return t, nil
}

// Within says whether a tile is in the tree of that many leaves.
func Within(t tlog.Tile, size int64) bool {
	shift := uint(Height * t.L)
	if shift > 62 || t.N > size>>shift>>Height {
		return false
	}
	return t.N*Width+int64(t.W) <= size>>shift
}

// Tile reads a tile. Of one that is partial and has grown since it is the beginning.
// The error wraps fs.ErrNotExist when there is none.
func (d Dir) Tile(t tlog.Tile) ([]byte, error) {
	for range 3 { // it may grow meanwhile
		for _, w := range d.widths(t) {
			wider := t
			wider.W = w
			data, err := os.ReadFile(d.file(path(wider)))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if len(data) != w*tlog.HashSize {
				return nil, fmt.Errorf("%s has %d bytes instead of %d", d.file(path(wider)), len(data), w*tlog.HashSize)
			}
			return data[:t.W*tlog.HashSize], nil
		}
	}
	return nil, fmt.Errorf("the tile %s: %w", path(t), fs.ErrNotExist)
}

// widths are those of the files that may have a tile, the likely one first.
func (d Dir) widths(t tlog.Tile) []int {
	list := []int{t.W}
	if t.W == Width {
		return list
	}
	full := t
	full.W = Width
	entries, err := os.ReadDir(d.file(path(full)) + ".p")
	if err == nil {
		for _, e := range entries {
			if w, err := strconv.Atoi(e.Name()); err == nil && w > t.W && w < Width {
				list = append(list, w)
			}
		}
	}
	return append(list, Width)
}

// Height, ReadTiles and SaveTiles make a Dir a tlog.TileReader.
func (d Dir) Height() int { return Height }

// ReadTiles reads tiles.
func (d Dir) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for k, t := range tiles {
		data, err := d.Tile(t)
		if err != nil {
			return nil, err
		}
		all[k] = data
	}
	return all, nil
}

// SaveTiles does nothing.
func (d Dir) SaveTiles([]tlog.Tile, [][]byte) {}

// Hashes reads hashes of a tree of which the root is known. What does not lead to that
// root is an error.
func (d Dir) Hashes(t tlog.Tree) tlog.HashReader { return tlog.TileHashReader(t, d) }

// edge is the right edge of the tree of that many leaves. The error wraps fs.ErrNotExist
// when a tile is missing.
func (d Dir) edge(size int64) (*Edge, error) {
	e := &Edge{size: size}
	for level := 0; size>>(Height*level) > 0; level++ {
		all := size >> (Height * level)
		e.tiles = append(e.tiles, make([]byte, 0, tileBytes))
		if w := int(all % Width); w > 0 {
			data, err := d.Tile(tlog.Tile{H: Height, L: level, N: all / Width, W: w})
			if err != nil {
				return nil, err
			}
			e.tiles[level] = append(e.tiles[level], data...)
		}
	}
	return e, nil
}
