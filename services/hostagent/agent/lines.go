package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"hubledger/services/internal/hosting"
	"hubledger/services/internal/redact"
)

const (
	// gather is how long lines are gathered once the first has come.
	gather = 300 * time.Millisecond
	// maxRead bounds what is read of an engine for one look, in bytes.
	maxRead = 64 << 20
)

// lines reads the last lines of a log, or those behind a time. It reads from the end of the file: of
// more lines than MaxLines since then the first are left out.
func (a *Agent) lines(ctx context.Context, id string, q hosting.Look, mask *redact.Set, s *hosting.Sight) error {
	most := min(max(q.Lines, 1), hosting.MaxLines)
	options := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Tail: strconv.Itoa(most)}
	wait := min(q.Wait, hosting.MaxWait)
	if q.After > 0 {
		most = hosting.MaxLines
		options.Since = fmt.Sprintf("%d.%09d", q.After/1e9, q.After%1e9)
		options.Tail, options.Follow = strconv.Itoa(most), wait > 0
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := a.Engine.ContainerLogs(ctx, id, options)
	if err != nil {
		return fmt.Errorf("its log cannot be read: %w", err)
	}
	defer stream.Close()
	g := &gathering{after: q.After, most: most, oldest: q.After > 0}
	if options.Follow {
		end := time.AfterFunc(wait, cancel)
		defer end.Stop()
		g.first = func() { end.Reset(gather) }
	}
	_, err = stdcopy.StdCopy(stdio{g, false}, stdio{g, true}, io.LimitReader(stream, maxRead))
	if err != nil && ctx.Err() == nil && !errors.Is(err, errFull) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("its log cannot be read: %w", err)
	}
	s.Lines, s.Cut = g.masked(mask), g.cut
	return nil
}

// errFull ends the reading of a log.
var errFull = errors.New("that is enough")

// A gathering keeps lines: the last ones, or with oldest the first ones.
type gathering struct {
	after  int64
	most   int
	oldest bool
	first  func() // called with the first line
	lines  []hosting.LogLine
	open   [2]bool // the last line of a stream has no end yet
	size   int
	cut    bool
}

// A stdio is one of the two streams of a container. The engine writes a message at once: its
// time, a space and a line, or a piece of one.
type stdio struct {
	*gathering
	err bool
}

func (w stdio) Write(message []byte) (int, error) {
	stamp, text, _ := strings.Cut(string(message), " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil || at.UnixNano() <= w.after {
		return len(message), nil
	}
	if w.first != nil {
		w.first()
		w.first = nil
	}
	text, ended := strings.CutSuffix(text, "\n")
	if w.open[place(w.err)] {
		for k := len(w.lines) - 1; k >= 0; k-- {
			if w.lines[k].Err == w.err {
				w.grow(k, text)
				break
			}
		}
	} else {
		if w.oldest && (len(w.lines) == w.most || w.size > hosting.MaxSight-hosting.MaxLine) {
			return 0, errFull
		}
		w.lines = append(w.lines, hosting.LogLine{At: at.UnixNano(), Err: w.err})
		w.grow(len(w.lines)-1, text)
	}
	w.open[place(w.err)] = !ended
	for len(w.lines) > 1 && (len(w.lines) > w.most || w.size > hosting.MaxSight) {
		w.size -= len(w.lines[0].Text)
		w.lines, w.cut = w.lines[1:], true
	}
	return len(message), nil
}

func place(err bool) int {
	if err {
		return 1
	}
	return 0
}

// pieces bounds what is kept of a line before secrets are masked in it, in bytes.
const pieces = 2 * hosting.MaxLine

func (g *gathering) grow(k int, text string) {
	line := &g.lines[k]
	text = text[:min(len(text), pieces-len(line.Text))]
	line.Text += text
	g.size += len(text)
}

// masked are the lines without secrets, also without those that go over several of them.
func (g *gathering) masked(mask *redact.Set) []hosting.LogLine {
	if len(g.lines) == 0 {
		return nil
	}
	texts := make([]string, len(g.lines))
	for k, l := range g.lines {
		text := l.Text
		if len(text) == pieces { // it may end within a secret
			text = string(mask.Stream().Next([]byte(text)))
		}
		texts[k] = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\n", " ")
	}
	whole := strings.Split(mask.String(strings.Join(texts, "\n")), "\n")
	if len(whole) != len(texts) { // a secret has taken line ends with it: the times of lines are lost
		last := g.lines[len(g.lines)-1].At
		g.lines = make([]hosting.LogLine, len(whole))
		for k := range g.lines {
			g.lines[k].At = last
		}
	}
	for k := range g.lines {
		line := &g.lines[k]
		line.Text = mask.String(whole[k])
		if len(line.Text) > hosting.MaxLine {
			line.Text, line.Cut = shortened(line.Text, hosting.MaxLine), true
		}
	}
	return g.lines
}
