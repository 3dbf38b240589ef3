package projections

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// A comparedQuery has the hashes of the results that Next gives to one query,
// and gathers the results of Live that are not among them.
type comparedQuery struct {
	query       Query
	most        int          // differences that are kept
	hashes      []resultHash // of Next, sorted
	met         []bool       // Live has the same result
	differences map[string]*Difference
}

type resultHash [16]byte

func compareHashes(a, b resultHash) int { return bytes.Compare(a[:], b[:]) }

func hashResult(key, result string) (h resultHash) {
	b := binary.AppendUvarint(nil, uint64(len(key)))
	sum := sha256.Sum256(append(append(b, key...), result...))
	copy(h[:], sum[:])
	return h
}

// newComparedQuery runs the query on a state of Next.
func newComparedQuery(ctx context.Context, q Query, next *Snapshot, most int) (*comparedQuery, error) {
	c := &comparedQuery{query: q, most: most, differences: map[string]*Difference{}}
	err := q.Run(ctx, next.DB, func(key, result string) error {
		c.hashes = append(c.hashes, hashResult(key, result))
		return nil
	})
	slices.SortFunc(c.hashes, compareHashes)
	c.met = make([]bool, len(c.hashes))
	return c, err
}

// addLive takes one result of Live. A result that comes twice must be there twice.
func (c *comparedQuery) addLive(key, result string) {
	h := hashResult(key, result)
	i, _ := slices.BinarySearchFunc(c.hashes, h, compareHashes)
	for ; i < len(c.hashes) && c.hashes[i] == h; i++ {
		if !c.met[i] {
			c.met[i] = true
			return
		}
	}
	if d := c.difference(key); d != nil {
		d.Live = join(d.Live, result)
	}
}

// difference is the one of that key, nil when there are enough already.
func (c *comparedQuery) difference(key string) *Difference {
	d := c.differences[key]
	if d == nil && len(c.differences) < c.most {
		d = &Difference{Query: c.query.Name, Key: key}
		c.differences[key] = d
	}
	return d
}

// addNext runs the query on Next once more, for the text of the results that
// Live does not have.
func (c *comparedQuery) addNext(ctx context.Context, next *Snapshot) error {
	var missed []resultHash
	for i, met := range c.met {
		if !met {
			missed = append(missed, c.hashes[i])
		}
	}
	if len(missed) == 0 && len(c.differences) == 0 {
		return nil
	}
	return c.query.Run(ctx, next.DB, func(key, result string) error {
		if _, ok := slices.BinarySearchFunc(missed, hashResult(key, result), compareHashes); ok {
			if d := c.difference(key); d != nil {
				d.Next = join(d.Next, result)
			}
		}
		return nil
	})
}

func join(had, more string) string {
	if had == "" {
		return more
	}
	return had + " | " + more
}

// sorted are the differences by key.
func (c *comparedQuery) sorted() []Difference {
	var list []Difference
	for _, key := range slices.SortedFunc(maps.Keys(c.differences), strings.Compare) {
		list = append(list, *c.differences[key])
	}
	return list
}
