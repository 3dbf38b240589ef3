// Package sealedlog is the file that the log of a build becomes when the build has
// ended: one line of JSON for each chunk, in order, compressed as an S2 stream with an
// index at its end, so that a reader can begin anywhere.
package sealedlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/s2"
)

// A Chunk is a piece of what a build wrote: any bytes, not necessarily whole lines.
type Chunk struct {
	Seq  uint64 // later chunks have higher ones
	Time time.Time
	Step int // number of the step; 0 for the build itself
	Data []byte
}

// A line is a chunk in the file. Either Text or Data is set: Text when the bytes are
// UTF-8.
type line struct {
	Seq  uint64    `json:"seq"` // first: a reader looks for it
	Time time.Time `json:"time"`
	Step int       `json:"step"`
	Text string    `json:"text,omitempty"`
	Data []byte    `json:"data,omitempty"` // in base64
}

// maxLine bounds a line of the file, in bytes: a chunk of 256 KiB, of which every byte
// is escaped.
const maxLine = 2 << 20

// A Writer writes the file.
type Writer struct {
	s2    *s2.Writer
	bytes int64
}

// NewWriter makes a Writer. Its output depends on the chunks alone. A file has at least
// one of them.
func NewWriter(w io.Writer) *Writer {
	return &Writer{s2: s2.NewWriter(w, s2.WriterAddIndex(), s2.WriterConcurrency(1))}
}

// Write adds a chunk, which has to be behind those before.
func (w *Writer) Write(c Chunk) error {
	l := line{Seq: c.Seq, Time: c.Time.UTC(), Step: c.Step}
	if utf8.Valid(c.Data) {
		l.Text = string(c.Data)
	} else {
		l.Data = c.Data
	}
	encoded, err := json.Marshal(l)
	if err != nil {
		return err
	}
	w.bytes += int64(len(c.Data))
	_, err = w.s2.Write(append(encoded, '\n'))
	return err
}

// Bytes is how much the build wrote, in the chunks so far.
func (w *Writer) Bytes() int64 { return w.bytes }

// Close writes what is left, and the index.
func (w *Writer) Close() error { return w.s2.Close() }

// Read returns the chunks behind a sequence, in order: the first ones, until they have
// max bytes together. None means that there are no more.
func Read(file io.ReadSeeker, after uint64, max int) (list []Chunk, err error) {
	content, err := s2.NewReader(file).ReadSeeker(true, nil)
	if err != nil {
		return nil, fmt.Errorf("the index of a sealed log: %w", err)
	}
	size, err := content.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	// The first place from which on no line is still to be skipped.
	start := sort.Search(int(size), func(at int) bool {
		if err != nil {
			return true
		}
		var l *line
		if l, err = lineBehind(content, int64(at)); err == io.EOF {
			l, err = nil, nil
		}
		return l == nil || l.Seq > after
	})
	if err != nil {
		return nil, err
	}
	in, err := linesFrom(content, int64(start))
	for size := 0; err == nil && size < max; {
		var l *line
		if l, err = nextLine(in); err == nil {
			c := Chunk{Seq: l.Seq, Time: l.Time, Step: l.Step, Data: l.Data}
			if l.Data == nil {
				c.Data = []byte(l.Text)
			}
			list, size = append(list, c), size+len(c.Data)
		}
	}
	if err == io.EOF {
		err = nil
	}
	return list, err
}

// linesFrom reads on from the first line that begins at or behind a place. io.EOF when
// there is none.
func linesFrom(content io.ReadSeeker, at int64) (*bufio.Reader, error) {
	if _, err := content.Seek(max(at-1, 0), io.SeekStart); err != nil {
		return nil, err
	}
	in := bufio.NewReader(content)
	if at > 0 { // the byte before tells whether a line begins here
		if err := skipLine(in); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// lineBehind is the first line that begins at or behind a place.
func lineBehind(content io.ReadSeeker, at int64) (*line, error) {
	in, err := linesFrom(content, at)
	if err != nil {
		return nil, err
	}
	return nextLine(in)
}

// nextLine reads a line; io.EOF behind the last one.
func nextLine(in *bufio.Reader) (*line, error) {
	var text []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(text)+len(part) > maxLine {
			return nil, fmt.Errorf("a line of a sealed log has more than %d bytes", maxLine)
		}
		text = append(text, part...)
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err != nil:
			return nil, err
		}
		var l line
		if err := json.Unmarshal(bytes.TrimSuffix(text, []byte("\n")), &l); err != nil {
			return nil, fmt.Errorf("a line of a sealed log: %w", err)
		}
		return &l, nil
	}
}

// skipLine reads to the end of a line.
func skipLine(in *bufio.Reader) error {
	for {
		if _, err := in.ReadSlice('\n'); err != bufio.ErrBufferFull {
			return err
		}
	}
}
