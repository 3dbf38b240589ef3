package verify

import (
	"bytes"
	"encoding/hex"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/events"
	"hubledger/services/audit/tree"
)

// A version is an event as one of the copies has it.
type version struct {
	name string
	leaf events.Leaf
}

// judge returns what most copies have, and how the others differ, "" when all are the same.
// Of as many on both sides it is what the later of them have: the tree is signed.
func judge(copies []version) (leaf events.Leaf, differ string) {
	most := 0
	for _, one := range copies {
		n := 0
		for _, other := range copies {
			if other.leaf == one.leaf {
				n++
			}
		}
		if n >= most {
			leaf, most = one.leaf, n
		}
	}
	var wrong, right []string
	for _, one := range copies {
		if one.leaf == leaf {
			right = append(right, one.name)
		} else {
			wrong = append(wrong, one.name)
		}
	}
	if len(wrong) == 0 {
		return leaf, ""
	}
	return leaf, strings.Join(wrong, " and ") + " and " + strings.Join(right, " and ") + " differ"
}

const (
	height, width = tree.Height, tree.Width
	hashBytes     = tlog.HashSize
)

// inTree is the leaf that the tree has for an event, if it has one.
func (v *verifier) inTree(seq uint64) (leaf events.Leaf, ok bool, err error) {
	index := int64(seq) - 1
	if index >= v.signed.N {
		return leaf, false, nil
	}
	if index%width == 0 {
		t := tlog.Tile{H: height, N: index / width, W: int(min(width, v.signed.N-index))}
		var missing error
		if v.tile, missing = v.Dir.Tile(t); missing != nil {
			v.tile = nil
			err = v.found(seq, "the tree cannot be read from here on, for %d events: %v", t.W, missing)
		}
	}
	if v.tile == nil {
		return leaf, false, err
	}
	at := index % width * hashBytes
	return events.Leaf(v.tile[at : at+hashBytes]), true, err
}

// compareTile compares a tile that is full with that of the tree.
func (v *verifier) compareTile(level int, n int64, data []byte) error {
	if level == 0 || (n+1)<<(height*(level+1)) > v.signed.N {
		return nil // was compared leaf by leaf, or is not in the tree
	}
	return v.compareHashes(tlog.Tile{H: height, L: level, N: n, W: width}, data)
}

func (v *verifier) compareHashes(t tlog.Tile, data []byte) error {
	first := func(k int) uint64 { return uint64(t.N*width+int64(k))<<(height*t.L) + 1 }
	have, err := v.Dir.Tile(t)
	if err != nil {
		return v.found(first(0), "the tree cannot be read: %v", err)
	}
	if bytes.Equal(have, data) {
		return nil
	}
	for k := range t.W {
		if at := k * hashBytes; !bytes.Equal(have[at:at+hashBytes], data[at:at+hashBytes]) {
			return v.found(first(k), "the hash of the events %d to %d in the tree is not that of these events (level %d)", first(k), first(k+1)-1, t.L)
		}
	}
	return nil
}

// compareSigned compares the unfinished tiles and the root with what was signed.
func (v *verifier) compareSigned() error {
	size := v.edge.Size()
	for level := 1; level < v.edge.Levels(); level++ {
		if data := v.edge.Tile(level); len(data) > 0 {
			t := tlog.Tile{H: height, L: level, N: size >> (height * level) / width, W: len(data) / hashBytes}
			if err := v.compareHashes(t, data); err != nil {
				return err
			}
		}
	}
	if root := v.edge.Root(); root != v.signed.Hash {
		return v.found(0, "the first %d events are not those of which the last checkpoint was signed: they lead to the root %s instead of %s",
			size, hex.EncodeToString(root[:]), hex.EncodeToString(v.signed.Hash[:]))
	}
	return nil
}
