package layerfiles

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// A listing is kept as a header in JSON, then the directories in byte order, packed by
// zstd. A directory is its path, how many entries and bytes follow, and the entries: so
// whoever wants one skips the others. Numbers are unsigned varints, texts have their
// length before them.

// header is the first line of a kept listing. Whatever changes in the format changes
// Version: a listing of another version is as if it were not there.
type header struct {
	Version int
	Summary Summary
	Root    Entry
}

const version = 2

// maxText bounds a text of a kept listing in bytes: an escaped path is up to four times as long.
const maxText = 64 << 10

func (l *Listing) encode(w io.Writer) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return err
	}
	head, err := json.Marshal(header{version, l.Summary, l.Root})
	if err == nil {
		_, err = z.Write(append(head, '\n'))
	}
	var out, entries []byte
	for _, dir := range slices.Sorted(maps.Keys(l.Directories)) {
		entries = entries[:0]
		for _, e := range l.Directories[dir] {
			entries = e.append(entries)
		}
		out = appendText(out[:0], dir)
		out = binary.AppendUvarint(out, uint64(len(l.Directories[dir])))
		out = binary.AppendUvarint(out, uint64(len(entries)))
		if err == nil {
			_, err = z.Write(append(out, entries...))
		}
	}
	return errors.Join(err, z.Close())
}

var types = []Type{File, Directory, Symlink, Hardlink, Device, Whiteout}

const opaque, implied, summed = 1, 2, 4

func (e Entry) append(b []byte) []byte {
	flags := uint64(0)
	if e.Opaque {
		flags |= opaque
	}
	if e.Implied {
		flags |= implied
	}
	if e.Type == File {
		flags |= summed
	}
	b = appendText(b, e.Name)
	for _, n := range []uint64{uint64(slices.Index(types, e.Type)), flags, uint64(e.Mode), uint64(e.UID), uint64(e.GID), uint64(e.Size), uint64(e.Files)} {
		b = binary.AppendUvarint(b, n)
	}
	b = appendText(b, e.Link)
	if e.Type == File {
		b = append(b, e.Sum[:]...)
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// decoder reads a kept listing.
type decoder struct {
	header
	in  *bufio.Reader
	z   *zstd.Decoder
	err error
}

func decode(r io.Reader) (*decoder, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	d := &decoder{z: z, in: bufio.NewReaderSize(z, 64<<10)}
	line, err := d.in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(bytes.TrimSpace(line), &d.header)
	}
	if err == nil && d.Version != version {
		err = fmt.Errorf("the listing has version %d", d.Version)
	}
	if err != nil {
		z.Close()
		return nil, err
	}
	return d, nil
}

func (d *decoder) close() { d.z.Close() }

// directory begins the next directory: its path, how many entries it has, and the bytes
// that they take. io.EOF after the last.
func (d *decoder) directory() (dir string, entries, size int, err error) {
	if _, err := d.in.Peek(1); err != nil {
		return "", 0, 0, err
	}
	dir = d.text()
	entries, size = int(d.number()), int(d.number())
	return dir, entries, size, d.err
}

func (d *decoder) skip(size int) { d.in.Discard(size) } // what follows fails when it did

func (d *decoder) entry() (Entry, error) {
	e := Entry{Name: d.text()}
	kind, flags := d.number(), d.number()
	e.Mode, e.UID, e.GID = uint32(d.number()), int(d.number()), int(d.number())
	e.Size, e.Files, e.Link = int64(d.number()), int(d.number()), d.text()
	if flags&summed != 0 && d.err == nil {
		_, d.err = io.ReadFull(d.in, e.Sum[:])
	}
	if d.err == nil && kind >= uint64(len(types)) {
		d.err = errors.New("the listing has an unknown type of entry")
	}
	if d.err != nil {
		return e, d.err
	}
	e.Type, e.Opaque, e.Implied = types[kind], flags&opaque != 0, flags&implied != 0
	return e, nil
}

func (d *decoder) number() (n uint64) {
	if d.err == nil {
		n, d.err = binary.ReadUvarint(d.in)
	}
	return n
}

func (d *decoder) text() string {
	n := d.number()
	if d.err == nil && n > maxText {
		d.err = errors.New("the listing has a text that is too long")
	}
	if d.err != nil {
		return ""
	}
	text := make([]byte, n)
	_, d.err = io.ReadFull(d.in, text)
	return string(text)
}
