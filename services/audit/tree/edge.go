// Package tree keeps the Merkle tree over the leaves of the log (RFC 6962) in a directory:
// the hashes in tiles, and the last signed checkpoint (C2SP tlog-tiles).
package tree

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Height of a tile, in levels of the tree, and how many hashes a full one has (C2SP tlog-tiles).
const (
	Height = 8
	Width  = 1 << Height
)

const (
	tileBytes = Width * tlog.HashSize      // of a full tile
	maxLevels = (63 + Height - 1) / Height // of tiles in the largest tree
)

// An Edge is the right edge of a growing tree: of each level of tiles the one that is not
// full yet. The root follows from it. The zero Edge is that of the empty tree.
type Edge struct {
	size  int64
	tiles [][]byte // by level; each fewer than Width hashes
}

// Size is how many leaves the tree has.
func (e *Edge) Size() int64 { return e.size }

// Tile is the unfinished tile of a level, empty when there is none.
func (e *Edge) Tile(level int) []byte {
	if level < len(e.tiles) {
		return e.tiles[level]
	}
	return nil
}

// Levels is how many levels of tiles the tree has.
func (e *Edge) Levels() int { return len(e.tiles) }

// Add appends a leaf. full is called with each tile that this completes, the lowest level
// first; n is its place in the level, and data is only good during the call. After an
// error of full the edge is of no use any more.
func (e *Edge) Add(leaf tlog.Hash, full func(level int, n int64, data []byte) error) error {
	for level, hash := 0, leaf; ; level++ {
		if level == len(e.tiles) {
			e.tiles = append(e.tiles, make([]byte, 0, tileBytes))
		}
		e.tiles[level] = append(e.tiles[level], hash[:]...)
		if len(e.tiles[level]) < tileBytes {
			break
		}
		if err := full(level, e.size>>(Height*(level+1)), e.tiles[level]); err != nil {
			return err
		}
		hash = perfect(e.tiles[level])
		e.tiles[level] = e.tiles[level][:0]
	}
	e.size++
	return nil
}

// Root is the root hash of the tree. That of the empty one is of no use: it is zero.
func (e *Edge) Root() (root tlog.Hash) {
	none := true
	for _, data := range e.tiles {
		// From right to left the perfect trees grow.
		for left := len(data) / tlog.HashSize; left > 0; {
			n := 1 << bits.TrailingZeros(uint(left))
			part := perfect(data[(left-n)*tlog.HashSize : left*tlog.HashSize])
			if none {
				root, none = part, false
			} else {
				root = tlog.NodeHash(part, root)
			}
			left -= n
		}
	}
	return root
}

// perfect is the root hash over a power of two of hashes.
func perfect(data []byte) tlog.Hash {
	if len(data) == tlog.HashSize {
		return tlog.Hash(data)
	}
	half := len(data) / 2
	return tlog.NodeHash(perfect(data[:half]), perfect(data[half:]))
}
