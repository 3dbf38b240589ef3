package blockfile

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/highwayhash"
)

// A Block is one file with some of a stream's records.
type Block struct {
	Path string
	Size int64 // in bytes, when the block was listed

	stream string
	index  uint32
}

// List lists the blocks of a stream in order; none when streamDir does not exist.
func List(streamDir, stream string) ([]Block, error) {
	dir := filepath.Join(streamDir, "msgs")
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []Block
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
		out = append(out, Block{filepath.Join(dir, entry.Name()), info.Size(), stream, uint32(index)})
	}
	slices.SortFunc(out, func(a, b Block) int { return cmp.Compare(a.index, b.index) })
	return out, nil
}

// Size is what the blocks have together, in bytes.
func Size(blocks []Block) int64 {
	var n int64
	for _, b := range blocks {
		n += b.Size
	}
	return n
}

// firstSeq is the sequence of a block's first record; 0 when it has none.
func (b Block) firstSeq() (uint64, error) {
	f, err := os.Open(b.Path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var head [recordHead]byte
	if n, err := f.ReadAt(head[:], 0); n < len(head) {
		if b.Size < recordHead {
			return 0, nil
		}
		return 0, err
	}
	return binary.LittleEndian.Uint64(head[4:]), nil
}

// load reads a block, into buf if it fits.
func (b Block) load(buf []byte) ([]byte, error) {
	f, err := os.Open(b.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	n := int(info.Size())
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(f, buf); err != nil {
		return nil, fmt.Errorf("read %s: %w", b.Path, err)
	}
	return buf, nil
}

// hash is the checksum of the block's records.
func (b Block) hash() hash.Hash {
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", b.stream, b.index))
	h, err := highwayhash.New64(key[:])
	if err != nil {
		panic(err) // only a key of another size is refused
	}
	return h
}
