package backup

import (
	"encoding/base64"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/events"
)

// peaks are the roots of the perfect trees of which a Merkle tree (RFC 6962) of so many
// leaves consists, the largest first: all that its root, and growing it, need.
type peaks struct {
	format int // of the segments
	size   uint64
	list   []tlog.Hash
}

func peaksOf(format int, size uint64, stored [][]byte) (p peaks, err error) {
	if bits.OnesCount64(size) != len(stored) {
		return p, fmt.Errorf("a tree of %d events has %d peaks, not %d: %w", size, bits.OnesCount64(size), len(stored), ErrDamaged)
	}
	p.format, p.size = format, size
	for _, b := range stored {
		if len(b) != tlog.HashSize {
			return p, fmt.Errorf("a hash has %d bytes: %w", len(b), ErrDamaged)
		}
		p.list = append(p.list, tlog.Hash(b))
	}
	return p, nil
}

func (p *peaks) add(leaf events.Leaf) {
	h := tlog.Hash(leaf)
	if p.format < segmentFormat {
		h = tlog.RecordHash(leaf[:])
	}
	for n := p.size; n&1 == 1; n >>= 1 {
		last := len(p.list) - 1
		h = tlog.NodeHash(p.list[last], h)
		p.list = p.list[:last]
	}
	p.list = append(p.list, h)
	p.size++
}

// root is the root hash in base64, as checkpoints have it; "" of no events.
func (p *peaks) root() string {
	if len(p.list) == 0 {
		return ""
	}
	h := p.list[len(p.list)-1]
	for k := len(p.list) - 2; k >= 0; k-- {
		h = tlog.NodeHash(p.list[k], h)
	}
	return base64.StdEncoding.EncodeToString(h[:])
}

func (p *peaks) bytes() (list [][]byte) {
	for _, h := range p.list {
		list = append(list, h[:])
	}
	return list
}
