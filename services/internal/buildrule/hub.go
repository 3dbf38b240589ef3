package buildrule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"hubledger/events"
)

// A Note says what was done with a line of a paste, or what is not as it was.
type Note struct {
	Line int    `json:"line"` // from 1
	Text string `json:"text"`
	Lost bool   `json:"lost,omitempty"` // the line gave no rule
}

// The columns of Docker Hub's table of build rules, in its order.
const (
	colType = iota
	colSource
	colTag
	colDockerfile
	colContext
	colAutobuild
	colCache
	columns
)

var headings = map[string]int{
	"source type": colType, "type": colType, "source": colSource, "branch/tag": colSource, "docker tag": colTag, "tag": colTag,
	"dockerfile location": colDockerfile, "dockerfile": colDockerfile, "build context": colContext, "context": colContext,
	"autobuild": colAutobuild, "build caching": colCache, "caching": colCache,
}

var gap = regexp.MustCompile(` {2,}`)

// ImportTable reads Docker Hub's table of build rules as copied from its page, with
// or without its heading: a line for each rule, columns parted by tabs or by several
// spaces, or each cell in a line of its own. Rules are named rule-1 and so on, and are not validated yet. The notes say
// line by line what was not taken, and what was understood in another way than written.
func ImportTable(text string) ([]Rule, []Note) {
	if len(text) > MaxFileBytes {
		return nil, []Note{{1, fmt.Sprintf("the paste has %d bytes, and at most %d are read: paste the table alone", len(text), MaxFileBytes), true}}
	}
	var t table
	for i := range columns {
		t.order = append(t.order, i)
	}
	lines := strings.Split(text, "\n")
	if stacked(lines) {
		t.readStacked(lines)
		return t.rules, t.notes
	}
	for i, line := range lines {
		t.line = i + 1
		t.read(strings.TrimRight(line, "\r"))
	}
	return t.rules, t.notes
}

type table struct {
	order []int // which column of ours each column of the paste is, -1 for none
	rules []Rule
	notes []Note
	line  int
}

func (t *table) note(format string, args ...any) {
	t.notes = append(t.notes, Note{Line: t.line, Text: fmt.Sprintf(format, args...)})
}

func (t *table) lose(format string, args ...any) {
	t.note(format, args...)
	t.notes[len(t.notes)-1].Lost = true
}

func (t *table) read(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	tabs := strings.ContainsRune(line, '\t')
	var cells []string
	if tabs {
		cells = strings.Split(line, "\t")
	} else {
		cells = gap.Split(strings.TrimSpace(line), -1)
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	t.take(cells, tabs)
}

// take reads the cells of a line. tabs says that empty ones are among them.
func (t *table) take(cells []string, tabs bool) {
	if t.heading(cells) {
		return
	}
	if !utf8.ValidString(strings.Join(cells, "")) {
		t.lose("the line is not UTF-8")
		return
	}
	row, given := [columns]string{}, [columns]bool{}
	for i, cell := range cells {
		switch {
		case i < len(t.order) && t.order[i] >= 0:
			row[t.order[i]], given[t.order[i]] = cell, true
		case cell != "":
			t.note("column %d, %s, is none of the table and was left out", i+1, quoted(cell))
		}
	}
	if t.row(row, given) && !tabs && len(cells) < len(t.order) {
		t.note("there are %d of %d columns, and an empty one cannot be seen: compare the rule with the page", len(cells), len(t.order))
	}
}

// heading says whether cells are the table's heading, and takes the order from it.
func (t *table) heading(cells []string) bool {
	var known [columns]bool
	for _, cell := range cells {
		if c, ok := headings[strings.ToLower(cell)]; ok {
			known[c] = true
		}
	}
	if !known[colType] || !known[colSource] {
		return false
	}
	order := make([]int, len(cells))
	for i, cell := range cells {
		c, known := headings[strings.ToLower(cell)]
		if order[i] = c; !known {
			order[i] = -1
		}
	}
	t.order = order
	return true
}

// row says whether it made a rule.
func (t *table) row(row [columns]string, given [columns]bool) bool {
	r := events.DefaultBuildRule()
	kind := strings.ToLower(row[colType])
	if kind != Branch && kind != Tag {
		t.lose("%s is no source type: a line begins with Branch or Tag", quoted(row[colType]))
		return false
	}
	switch {
	case row[colSource] == "":
		t.lose("there is no source, the name of a branch or tag or a /pattern/")
		return false
	case row[colTag] == "":
		t.lose("there is no docker tag")
		return false
	case len(t.rules) == MaxRules:
		t.lose("there are more than %d rules", MaxRules)
		return false
	}
	r.Name = "rule-" + strconv.Itoa(len(t.rules)+1)
	source := t.source(row[colSource])
	if r.Tag = source; kind == Branch {
		r.Branch, r.Tag = source, ""
	}
	for tag := range strings.SplitSeq(row[colTag], ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			r.Tags = append(r.Tags, tag)
		}
	}
	r.Dockerfile, r.Context = t.paths(row[colDockerfile], row[colContext], given[colContext])
	r.Autobuild = t.toggle("autobuild", row[colAutobuild])
	r.Cache = t.toggle("build caching", row[colCache])
	t.rules = append(t.rules, r)
	return true
}
