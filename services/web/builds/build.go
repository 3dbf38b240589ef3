package builds

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type buildPage struct {
	Build    apitypes.BuildDetails
	API      string // address of the build in the API
	Waited   time.Duration
	Took     time.Duration // so far, of one that runs
	Attempts int
	Steps    []step // of the latest attempt; those of an ended build have their lines
	Longest  float64
	Log      logPage
	Former   bool // earlier lines are shown, and not the last ones
}

// A step is one of a build, with what it wrote.
type step struct {
	apitypes.BuildStep
	Open  bool
	Lines []line
}

// A line of a log, as it is shown.
type line struct {
	apitypes.BuildLogLine
	Spans []frame.Span
}

type logPage struct {
	apitypes.BuildLogLines
	Lines   []line
	Trouble string // why there is none
}

func findBuild(v *frame.Visit) (apitypes.BuildDetails, error) {
	return frame.Get[apitypes.BuildDetails](v, frame.Path("builds", v.Path("build")), nil)
}

func pathOf(b apitypes.Build, more ...string) string {
	return frame.Path(append([]string{"repositories", b.Repository, "builds", b.ID}, more...)...)
}

func showBuild(v *frame.Visit) (any, error) {
	b, err := findBuild(v)
	if err != nil {
		return nil, err
	}
	p := buildPage{Build: b, API: "/api/v1" + pathOf(b.Build)}
	if b.State != "ended" {
		v.Again(3)
	}
	if b.Started != nil {
		p.Waited = b.Started.Sub(b.Queued)
		end := time.Now()
		if b.Ended != nil {
			end = *b.Ended
		}
		p.Took = end.Sub(*b.Started)
	}
	q := url.Values{}
	if before, err := strconv.Atoi(v.Query("before")); err == nil && before > 0 {
		q.Set("before", strconv.Itoa(before))
		p.Former = true
	}
	if v.Query("log") == "no" { // for a page that has it, and takes the head and the steps anew
		p.sort()
		return p, nil
	}
	// Without its log, which may be on another node, a build is worth showing.
	if p.Log.BuildLogLines, err = frame.Get[apitypes.BuildLogLines](v, pathOf(b.Build, "log", "lines"), q); err != nil {
		p.Log.Trouble = err.Error()
	}
	p.Log.BuildLogLines.Lines = lastOf(p.Log.BuildLogLines.Lines)
	for _, l := range p.Log.BuildLogLines.Lines {
		p.Log.Lines = append(p.Log.Lines, line{l, frame.Coloured(l.Text)})
	}
	p.sort()
	return p, nil
}

// maxLogText bounds the text of a log that a page shows, in bytes, so that the page stays
// small also where lines are long.
const maxLogText = 80_000

// lastOf is the last lines that fit into a page, at least one.
func lastOf(lines []apitypes.BuildLogLine) []apitypes.BuildLogLine {
	size, from := 0, len(lines)
	for from > 0 {
		if size += len(lines[from-1].Text); size > maxLogText && from < len(lines) {
			break
		}
		from--
	}
	return lines[from:]
}

// sort gives the lines of a build that has ended to its steps. Of one that runs they stay
// together, as they come.
func (p *buildPage) sort() {
	for _, s := range p.Build.Steps {
		p.Attempts = max(p.Attempts, s.Attempt)
	}
	place := map[int]int{}
	for _, s := range p.Build.Steps {
		if s.Attempt == p.Attempts {
			p.Longest = max(p.Longest, s.Took)
			place[s.Number] = len(p.Steps)
			p.Steps = append(p.Steps, step{BuildStep: s, Open: s.Failed})
		}
	}
	if p.Build.State != "ended" {
		return
	}
	var others []line
	for _, l := range p.Log.Lines {
		if k, ok := place[l.Step]; ok {
			p.Steps[k].Lines = append(p.Steps[k].Lines, l)
		} else {
			others = append(others, l)
		}
	}
	p.Log.Lines = others
}

// Scanner is the image that makes the build's SBOM; nil for none.
func (p buildPage) Scanner() *scanner {
	name, digest, ok := strings.Cut(p.Build.Scanner, "@")
	if !ok {
		return nil
	}
	return &scanner{name, digest}
}

// A scanner is an image of this hub.
type scanner struct{ Repository, Digest string }

// Earlier is the number of the first line that is shown, when there are lines before it.
func (p buildPage) Earlier() int {
	if all := p.Log.BuildLogLines.Lines; len(all) > 0 && all[0].Number > 1 {
		return all[0].Number
	}
	return 0
}

func retryBuild(v *frame.Visit) (string, error) {
	b, err := findBuild(v)
	if err != nil {
		return "", err
	}
	var again apitypes.Build
	seq, err := v.Send(http.MethodPost, pathOf(b.Build, "retry"), nil, &again)
	return fmt.Sprintf("/builds/%s?done=%d", url.PathEscape(again.ID), seq), err
}

func showCancel(v *frame.Visit) (any, error) { return findBuild(v) }

func cancelBuild(v *frame.Visit) (string, error) {
	b, err := findBuild(v)
	if err != nil {
		return "", err
	}
	seq, err := v.Send(http.MethodPost, pathOf(b.Build, "cancel"), nil, nil)
	return fmt.Sprintf("/builds/%s?done=%d", url.PathEscape(b.ID), seq), err
}
