package streams

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/highwayhash"

	"hubledger/events"
)

// The server's block files are read here, never written. The server repairs a
// damaged block by cutting it off at the first bad record, with all the good
// ones behind it; so the damage has to be found before the server sees it.
//
// A block is a sequence of records (filestore.go of nats-server 2.10 and later):
//
//	length   4  little-endian, of the whole record; the top bit says that there is a header
//	sequence 8  the top bits mark what was deleted, which this stream never does
//	time     8
//	subject  2  its length
//	subject, then with a header: its length in 4 bytes and the header; then the data
//	checksum 8  HighwayHash of sequence, time, subject, header and data
const (
	recordHead     = 22
	recordChecksum = 8
	recordLimit    = 32 << 20
	headerBit      = 1 << 31
	deletedBits    = uint64(3) << 62
)

type block struct {
	path  string
	index uint32
	size  int64
}

// A record is one stored message. Its slices point into the block's bytes.
type record struct {
	seq                   uint64
	subject, header, data []byte
}

// badRecord is damage at an offset of a block.
type badRecord struct {
	path   string
	offset int
	why    string
}

func (e *badRecord) Error() string { return fmt.Sprintf("%s at byte %d: %s", e.path, e.offset, e.why) }

// listBlocks lists the blocks of a stream in order; none when there is no such directory.
func listBlocks(storeDir string) ([]block, error) {
	dir := filepath.Join(storeDir, "msgs")
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []block
	for _, entry := range entries {
		name, isBlock := strings.CutSuffix(entry.Name(), ".blk")
		index, err := strconv.ParseUint(name, 10, 32)
		if !isBlock || err != nil {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		out = append(out, block{filepath.Join(dir, entry.Name()), uint32(index), info.Size()})
	}
	slices.SortFunc(out, func(a, b block) int { return cmp.Compare(a.index, b.index) })
	return out, nil
}

// firstSeq is the sequence of a block's first record; 0 when it has none.
func (b block) firstSeq() (uint64, error) {
	f, err := os.Open(b.path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var head [recordHead]byte
	if n, err := f.ReadAt(head[:], 0); n < len(head) {
		if b.size < recordHead {
			return 0, nil
		}
		return 0, err
	}
	return binary.LittleEndian.Uint64(head[4:]), nil
}

// hash is the checksum of the block's records.
func (b block) hash() hash.Hash {
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", StreamName, b.index))
	h, err := highwayhash.New64(key[:])
	if err != nil {
		panic(err) // only a key of another size is refused
	}
	return h
}

// walk calls fn with the records of a block in order. The error is that of fn
// or a *badRecord; end is where the last good record ends.
func (b block) walk(buf []byte, fn func(record) error) (end int, err error) {
	h := b.hash()
	for end < len(buf) {
		r, size, why := parseRecord(buf[end:], h)
		if why != "" {
			return end, &badRecord{b.path, end, why}
		}
		if err := fn(r); err != nil {
			return end, err
		}
		end += size
	}
	return end, nil
}

// parseRecord reads the record that buf begins with; why says what is wrong with it.
func parseRecord(buf []byte, h hash.Hash) (r record, size int, why string) {
	if len(buf) < recordHead+recordChecksum {
		return r, 0, "the record ends too early"
	}
	le := binary.LittleEndian
	length := le.Uint32(buf)
	size = int(length &^ headerBit)
	subject := int(le.Uint16(buf[20:]))
	payload := recordHead + subject
	if length&headerBit != 0 {
		payload += 4
	}
	switch {
	case size > recordLimit || size < payload+recordChecksum:
		return r, 0, "the record's length is wrong"
	case size > len(buf):
		return r, 0, "the record ends too early"
	}
	r = record{seq: le.Uint64(buf[4:]), subject: buf[recordHead : recordHead+subject], data: buf[payload : size-recordChecksum]}
	if length&headerBit != 0 {
		n := le.Uint32(buf[payload-4:])
		if int64(n) > int64(len(r.data)) {
			return r, 0, "the header's length is wrong"
		}
		r.header, r.data = r.data[:n], r.data[n:]
	}
	h.Reset()
	h.Write(buf[4:20])
	h.Write(r.subject)
	h.Write(r.header)
	h.Write(r.data)
	if !bytes.Equal(h.Sum(nil), buf[size-recordChecksum:size]) {
		return r, 0, "the checksum does not match"
	}
	if r.seq&deletedBits != 0 {
		return r, 0, fmt.Sprintf("event %d was deleted", r.seq&(math.MaxUint64>>2))
	}
	return r, size, ""
}

// torn reports whether what follows the good part of the log's last block is
// the beginning of a record that a crash interrupted. Such a record was never
// acknowledged, and the server drops it: the server syncs each record before
// it writes the next, so nothing good can follow it, and what is missing of it
// is missing at its end or is zeros, which an event never contains.
func (b block) torn(rest []byte) bool {
	if b.resync(rest) != nil {
		return false
	}
	if len(rest) < recordHead || int(binary.LittleEndian.Uint32(rest)&^headerBit) > len(rest) {
		return true
	}
	return bytes.Contains(rest, make([]byte, 64))
}

// resync drops the beginning of buf up to the next good record.
func (b block) resync(buf []byte) []byte {
	h := b.hash()
	for i := 1; i+recordHead+recordChecksum <= len(buf); i++ {
		if _, _, why := parseRecord(buf[i:], h); why == "" {
			return buf[i:]
		}
	}
	return nil
}

// event is the event that a record holds. One that is not ours has no
// attributes; events.Event.Check tells.
func (r record) event() events.Event {
	e := events.Event{Seq: r.seq, Subject: string(r.subject), Data: bytes.Clone(r.data), Attributes: make([]events.Attribute, 0, 9)}
	for line := range strings.SplitSeq(string(r.header), "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if strings.HasPrefix(name, attributePrefix) {
			e.Attributes = append(e.Attributes, events.Attribute{Name: name, Value: strings.TrimLeft(value, " \t")})
		}
	}
	sortAttributes(e.Attributes)
	return e
}
