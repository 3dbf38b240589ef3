package builder

import (
	"context"
	"strings"

	"hubledger/projections/builds"
	"hubledger/services/builder/sealedlog"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// Bounds of an answer with lines of a log, in lines and bytes, and of each line.
const (
	maxLines    = 2000
	maxLineText = 1 << 20
	maxLine     = 4 << 10
)

type linesIn struct {
	BuildPath
	Before int `query:"before" minimum:"1" doc:"Only lines before that number; absent: the last ones"`
	Limit  int `query:"limit" minimum:"1" maximum:"2000" default:"2000" doc:"How many lines at most"`
}

// A logLines makes lines of chunks, and keeps the last ones. A line has its number from
// its first byte on.
type logLines struct {
	before, limit int
	total         int
	kept          []*apitypes.BuildLogLine
	size          int
	open          map[int]*apitypes.BuildLogLine // by step
}

func (l *logLines) add(c sealedlog.Chunk) {
	for text := range strings.Lines(string(c.Data)) {
		line := l.open[c.Step]
		if line == nil {
			l.total++
			line = &apitypes.BuildLogLine{Number: l.total, Step: c.Step, Open: true}
			l.open[c.Step] = line
			l.keep(line)
		}
		text, ended := strings.CutSuffix(text, "\n")
		if room := maxLine - len(line.Text); len(text) > room {
			text, line.Cut = text[:room], true
		}
		line.Text += text
		if line.Number < l.before {
			l.size += len(text)
		}
		if ended {
			line.Open = false
			delete(l.open, c.Step)
		}
	}
	for len(l.kept) > l.limit || l.size > maxLineText {
		l.size -= len(l.kept[0].Text)
		l.kept[0] = nil
		l.kept = l.kept[1:]
	}
}

func (l *logLines) keep(line *apitypes.BuildLogLine) {
	if line.Number < l.before {
		l.kept = append(l.kept, line)
	}
}

// lines reads a log from its beginning: only so are the numbers known. It has at most
// 64 MiB.
func (s *Builder) lines(ctx context.Context, c *endpoint.Call, in *linesIn) (*openapi.Answer[apitypes.BuildLogLines], error) {
	b, err := s.find(ctx, c, in.Build)
	if err != nil {
		return nil, err
	}
	l := logLines{before: in.Before, limit: min(in.Limit, maxLines), open: map[int]*apitypes.BuildLogLine{}}
	if l.before == 0 {
		l.before = 1<<63 - 1
	}
	view := apitypes.BuildLogLines{Ended: b.State == builds.Ended}
	for {
		chunks, err := s.readLog(ctx, b, view.Next)
		if err != nil {
			return nil, err
		}
		if len(chunks) == 0 {
			break
		}
		for _, chunk := range chunks {
			l.add(chunk)
			view.Next = chunk.Seq
		}
	}
	view.Total, view.Lines = l.total, make([]apitypes.BuildLogLine, len(l.kept))
	for k, line := range l.kept {
		view.Lines[k] = *line
		view.Lines[k].Text = strings.ToValidUTF8(strings.TrimSuffix(line.Text, "\r"), "\uFFFD")
		view.Lines[k].Open = line.Open && !view.Ended
	}
	return openapi.Show(view), nil
}
