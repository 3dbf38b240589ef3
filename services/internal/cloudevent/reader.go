package cloudevent

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"hubledger/events"
)

// A Reader reads a file of lines that Append has written.
type Reader struct {
	lines *bufio.Scanner
	line  int
}

// NewReader reads from r.
func NewReader(r io.Reader) *Reader {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), MaxLine)
	return &Reader{lines: lines}
}

// Next returns the next event; io.EOF behind the last. An error names the line.
func (r *Reader) Next() (events.Event, error) {
	for r.lines.Scan() {
		r.line++
		text := bytes.TrimSpace(r.lines.Bytes())
		if len(text) == 0 {
			continue
		}
		e, err := Parse(text)
		if err != nil {
			err = fmt.Errorf("line %d: %w", r.line, err)
		}
		return e, err
	}
	if err := r.lines.Err(); err != nil {
		return events.Event{}, fmt.Errorf("line %d: %w", r.line+1, err)
	}
	return events.Event{}, io.EOF
}
