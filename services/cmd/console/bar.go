package console

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"hubledger/services/internal/plaintext"
)

// A Bar shows the progress of long work on the session's Err: redrawn in place on
// a terminal, else as a new line every few seconds. With --json it shows nothing.
type Bar struct {
	// Label says what is being done.
	Label string

	s        *Session
	made     time.Time
	out      io.Writer // the session's Err, where a line can be redrawn
	last     time.Time // when it was drawn
	line     string    // what was drawn
	terminal bool
}

// Bar returns a bar that is not drawn yet.
func (s *Session) Bar(label string) *Bar {
	out := s.Err
	if plain, ok := out.(plaintext.Writer); ok {
		out = plain.W
	}
	return &Bar{Label: label, s: s, out: out, made: time.Now(), terminal: isTerminal(out)}
}

// Coloured writes to the session's Out what programs wrote for a terminal: their colours are
// kept on one, and left out elsewhere. It is closed when all was written.
func (s *Session) Coloured() *plaintext.ColourWriter {
	out := s.Out
	if plain, ok := out.(plaintext.Writer); ok {
		out = plain.W
	}
	return &plaintext.ColourWriter{W: out, Keep: isTerminal(out)}
}

// soon is what needs no bar.
const soon = time.Second

// Set draws the bar, unless it was drawn a moment ago, or the work has only just
// begun. A total of 0 is unknown.
func (b *Bar) Set(done, total int64, unit string) {
	wait := 5 * time.Second
	if b.terminal {
		wait = 100 * time.Millisecond
	}
	if b.s.JSON || time.Since(b.last) < wait && done < total || b.last.IsZero() && done < max(total, 1) && time.Since(b.made) < soon {
		return
	}
	unit = strings.TrimSuffix(" "+unit, " ")
	line := fmt.Sprintf("%s: %d%s", b.Label, done, unit)
	if total > 0 {
		const width = 30
		full := int(min(done, total) * width / total)
		line = fmt.Sprintf("%s: [%s%s] %3d%% %d of %d%s", b.Label,
			strings.Repeat("=", full), strings.Repeat(" ", width-full), min(done, total)*100/total, done, total, unit)
	}
	if b.last = time.Now(); line == b.line {
		return
	}
	b.line = line
	if b.terminal {
		fmt.Fprintf(b.out, "\r\033[K%s", plaintext.Line(line))
	} else {
		fmt.Fprintln(b.out, plaintext.Line(line))
	}
}

// End ends the line of the bar, so that the next output starts a new line.
func (b *Bar) End() {
	if b.terminal && !b.s.JSON && !b.last.IsZero() {
		fmt.Fprintln(b.out)
	}
}

// isTerminal says whether w is a terminal, on which a line can be redrawn in place.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
