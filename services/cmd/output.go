package cmd

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// print writes one JSON document and a newline.
func (s *session) print(v any) error {
	e := json.NewEncoder(s.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table writes rows under a header, in columns.
func (s *session) table(header []string, rows [][]string) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(header, "\t"))
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}

// A bar shows the progress of long work: redrawn in place on a terminal, else
// as a new line every few seconds. With --json it shows nothing.
type bar struct {
	s    *session
	what string
	last time.Time
	live bool
}

func (s *session) bar(what string) *bar { return &bar{s: s, what: what, live: terminal(s.err)} }

func (b *bar) set(done, total int64, unit string) {
	wait := 5 * time.Second
	if b.live {
		wait = 100 * time.Millisecond
	}
	if b.s.json || time.Since(b.last) < wait && done < total {
		return
	}
	b.last = time.Now()
	line := fmt.Sprintf("%s: %d %s", b.what, done, unit)
	if total > 0 {
		const width = 30
		full := int(min(done, total) * width / total)
		line = fmt.Sprintf("%s: [%s%s] %3d%% %d of %d %s", b.what,
			strings.Repeat("=", full), strings.Repeat(" ", width-full), min(done, total)*100/total, done, total, unit)
	}
	if b.live {
		fmt.Fprintf(b.s.err, "\r\033[K%s", line)
	} else {
		fmt.Fprintln(b.s.err, line)
	}
}

// end ends the line of the bar, so that the next output starts a new line.
func (b *bar) end() {
	if b.live && !b.s.json && !b.last.IsZero() {
		fmt.Fprintln(b.s.err)
	}
}

// size formats a number of bytes for people: 1.5 MB is 1,500,000 bytes.
func size(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	f, u := float64(n), 0
	for f >= 1000 && u < len(units)-1 {
		f /= 1000
		u++
	}
	if u == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[u])
}
