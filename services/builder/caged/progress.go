package caged

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"hubledger/services/builder/driver"
	"hubledger/services/internal/redact"
)

const (
	maxLine  = 16 << 20 // bytes of a line of JSON
	maxSteps = 10_000   // of one build
	maxText  = 64 << 10 // bytes of what the program says besides
	maxTail  = 4 << 10  // bytes of a step's log that are kept for the reason of a failure
)

// progress reads what the program of a cage writes, as buildctl does it with
// --progress=rawjson, and tells it as events.
type progress struct {
	mask *redact.Set
	emit func(driver.Event)
	left int64 // bytes of log that may still come
	cut  bool  // there were more

	line     []byte           // the beginning of a line
	skip     bool             // the rest of a line that is too long
	steps    map[string]*step // by digest
	numbered int
	failed   *step        // the first that failed by itself
	said     Tail         // what is no JSON
	touched  atomic.Int64 // when something came: Unix nanoseconds
	full     atomic.Bool  // no more log is told
}

// A step is what is known of one.
type step struct {
	name         string
	number       int // 0 until something is told of it
	begun, ended bool
	text         string // why it failed
	streams      [3]*redact.Masker
	tail         Tail
}

func newProgress(mask *redact.Set, log int64, emit func(driver.Event)) *progress {
	p := &progress{mask: mask, emit: emit, left: log, steps: map[string]*step{}, said: Tail{most: maxText}}
	p.touch()
	return p
}

// Write takes what the program writes, in any pieces.
func (p *progress) Write(data []byte) (int, error) {
	p.touch()
	n := len(data)
	for len(data) > 0 {
		part, rest, whole := bytes.Cut(data, []byte("\n"))
		data = rest
		if !p.skip && len(p.line)+len(part) > maxLine {
			p.skip, p.line = true, nil
		}
		if !p.skip {
			p.line = append(p.line, part...)
		}
		if whole {
			if !p.skip {
				p.take(p.line)
			}
			p.skip, p.line = false, p.line[:0]
		}
	}
	return n, nil
}

// end takes the last line, and lets out what the maskers hold back.
func (p *progress) end() {
	if len(p.line) > 0 && !p.skip {
		p.take(p.line)
	}
	p.line = nil
	for _, s := range p.steps {
		p.flush(s)
	}
}

func (p *progress) take(line []byte) {
	var s Status
	if len(line) == 0 || line[0] != '{' || json.Unmarshal(line, &s) != nil {
		p.said.Write(append(bytes.TrimRight(line, "\r"), '\n'))
		return
	}
	for _, v := range s.Vertexes {
		p.vertex(v)
	}
	for _, l := range s.Logs {
		if at := p.step(l.Vertex, ""); at != nil {
			p.log(at, l.Stream, l.Data, l.Timestamp)
		}
	}
	for _, w := range s.Warnings {
		e := driver.Event{Kind: driver.Warned, Time: time.Now(), Text: string(w.Short)}
		if at := p.steps[w.Vertex]; at != nil {
			e.Step = p.number(at)
		}
		if len(w.Range) > 0 {
			e.Line = w.Range[0].Start.Line
		}
		p.say(e)
	}
}

// step is the one of a digest; nil when there are too many.
func (p *progress) step(digest, name string) *step {
	s := p.steps[digest]
	if s == nil {
		if len(p.steps) >= maxSteps {
			return nil
		}
		s = &step{name: name, tail: Tail{most: maxTail}}
		for stream := range s.streams {
			s.streams[stream] = p.mask.Stream()
		}
		p.steps[digest] = s
	}
	return s
}

// names are those of the steps so far.
func (p *progress) names() []string {
	list := make([]string, 0, len(p.steps))
	for _, s := range p.steps {
		list = append(list, p.mask.String(s.name))
	}
	slices.Sort(list)
	return list
}

// number numbers the steps as they are told.
func (p *progress) number(s *step) int {
	if s.number == 0 {
		p.numbered++
		s.number = p.numbered
	}
	return s.number
}

// vertex tells what has changed of a step. Some begin again, as when several
// platforms share one: that is not told.
func (p *progress) vertex(v Vertex) {
	s := p.step(v.Digest, v.Name)
	if s == nil {
		return
	}
	if s.name == "" {
		s.name = v.Name
	}
	if v.Started != nil && !s.begun && !v.Cached {
		s.begun = true
		p.say(driver.Event{Kind: driver.Began, Step: p.number(s), Name: s.name, Time: *v.Started})
	}
	if v.Completed == nil || s.ended {
		return
	}
	switch {
	case v.Error != "" && !strings.HasPrefix(s.name, "importing cache "): // the first build has no cache, which is no failure
		s.text = v.Error
		if !isCancelled(v.Error) && p.failed == nil {
			p.failed = s
		}
		p.finish(s, driver.Event{Kind: driver.Failed, Step: p.number(s), Time: *v.Completed, Text: v.Error})
	case v.Cached && !s.begun:
		s.begun = true
		p.finish(s, driver.Event{Kind: driver.Cached, Step: p.number(s), Name: s.name, Time: *v.Completed})
	default:
		p.finish(s, driver.Event{Kind: driver.Ended, Step: p.number(s), Time: *v.Completed})
	}
}

// isCancelled says whether a step ended because another one failed.
func isCancelled(text string) bool {
	return strings.HasSuffix(text, "context canceled") || strings.Contains(text, "code = Canceled")
}

func (p *progress) finish(s *step, e driver.Event) {
	s.ended = true
	p.flush(s)
	p.say(e)
}

// flush lets out the ends of a step's logs. More may come later.
func (p *progress) flush(s *step) {
	for stream, m := range s.streams {
		if data := m.End(); len(data) > 0 {
			p.chunk(s, stream, data, time.Now())
		}
	}
}

func (p *progress) log(s *step, stream int, data []byte, at time.Time) {
	if stream != driver.Stderr {
		stream = driver.Stdout
	}
	s.tail.Write(data)
	if p.left == 0 {
		data = nil // what comes is not told any more
	}
	if out := s.streams[stream].Next(data); len(out) > 0 {
		p.chunk(s, stream, out, at)
	}
}

func (p *progress) chunk(s *step, stream int, data []byte, at time.Time) {
	if int64(len(data)) >= p.left {
		data = data[:p.left]
		if !p.cut {
			p.cut = true
			p.full.Store(true)
			defer p.say(driver.Event{Kind: driver.Warned, Time: at, Text: fmt.Sprintf("the log is longer than it may be: the rest is left out, from step %d on", p.number(s))})
		}
	}
	if len(data) > 0 {
		p.left -= int64(len(data))
		p.emit(driver.Event{Kind: driver.Log, Step: p.number(s), Time: at, Stream: stream, Data: bytes.Clone(data)})
	}
}

// say masks the texts of an event.
func (p *progress) say(e driver.Event) {
	e.Name, e.Text = p.mask.String(e.Name), p.mask.String(e.Text)
	p.emit(e)
}

func (p *progress) touch() { p.touched.Store(time.Now().UnixNano()) }

// idle is for how long nothing has come.
func (p *progress) idle() time.Duration { return time.Since(time.Unix(0, p.touched.Load())) }
