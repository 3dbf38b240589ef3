package markdown

import (
	"bytes"
	"errors"
)

// The parser cannot be stopped once it runs, and there are texts for which it
// takes a time or memory that grows with the square of their length. So a text
// is judged before, by bounds on what the parser would do. They know little of
// Markdown on purpose: they count too much rather than too little, also within
// blocks of code, and leave many times what a README needs.
const (
	// maxCells bounds the cells of all tables: a row that is too short is filled
	// up to the columns of its header, so a few bytes make many.
	maxCells = 20_000
	// maxMarkers bounds the quotes and list items that one line opens.
	maxMarkers = 20
	// maxNotes bounds marks of footnotes: each reference looks through all notes.
	maxNotes = 1_000
	// maxDepth bounds lines times the deepest nesting: the parser walks all open
	// quotes and lists at every line.
	maxDepth = 2_000_000
	// maxScan bounds what is looked at for the sake of characters that may mean
	// something: each of them may make the parser read its paragraph once.
	maxScan = 100_000_000
	// maxRun bounds how often such a character stands in a row, and so how deep
	// emphasis and brackets nest.
	maxRun = 500
)

// errTooMuch says that a text is not rendered, and why.
var errTooMuch = errors.New("the text would take too long to render")

// judge says whether a text is safe to parse.
func judge(source []byte) error {
	var j judgement
	for line := range bytes.Lines(source) {
		// A line ends for the parser at a line feed only.
		j.line(line)
		if j.markers > maxMarkers || j.run > maxRun {
			return errTooMuch
		}
	}
	j.endParagraph()
	j.endRows()
	if j.cells > maxCells || j.notes > maxNotes || j.scan > maxScan || j.lines*j.depth > maxDepth {
		return errTooMuch
	}
	return nil
}

// A judgement is what was counted so far.
type judgement struct {
	lines, depth int // in all; of the deepest line
	notes        int // marks of footnotes
	markers, run int // of the latest line: quotes and items it opens; most equal characters in a row

	// Rows are lines without an empty one between them: a table is within them.
	rows, columns, cells int
	// A paragraph is what is read at once, within the rows.
	bytes, special, scan int
}

func (j *judgement) line(line []byte) {
	rest, markers, columns := opening(line)
	j.lines++
	if notes := bytes.Count(line, []byte("[^")); notes > 0 {
		j.notes += notes
		markers += min(notes, bytes.Count(line, []byte("]:"))) // a note opens a block, as an item does
	}
	j.markers = markers
	j.depth = max(j.depth, markers+columns/2)
	j.run = 0
	if len(rest) == 0 { // empty, if not for quotes and items
		j.endParagraph()
		j.endRows()
		return
	}
	if text := bytes.TrimLeft(line, " "); len(line)-len(text) < 4 && begins(text) {
		j.endParagraph()
	}
	j.rows++
	if rules(line) {
		j.columns = max(j.columns, bytes.Count(line, []byte{'|'})+1)
	}
	j.bytes += len(line)
	run, last := 0, byte(0)
	for _, c := range line {
		if c != last {
			run, last = 0, c
		}
		if isSpecial[c] {
			run++
			j.special++
			j.run = max(j.run, run)
		}
	}
}

func (j *judgement) endParagraph() {
	j.scan += j.special * j.bytes
	j.special, j.bytes = 0, 0
}

func (j *judgement) endRows() {
	j.cells += j.rows * j.columns
	j.rows, j.columns = 0, 0
}

// opening counts the marks of quotes and list items that a line begins with
// and the columns of white space between them, and gives what is behind.
func opening(line []byte) (rest []byte, markers, columns int) {
	for len(line) > 0 {
		switch c := line[0]; {
		case c == '\t':
			columns += 4
			line = line[1:]
		case isSpace(c):
			columns++
			line = line[1:]
		case c == '>':
			markers++
			line = line[1:]
		default:
			n := item(line)
			if n == 0 {
				return line, markers, columns
			}
			markers++
			line = line[n:]
		}
	}
	return nil, markers, columns
}

// item is the length of a list item's mark at the beginning of a text, 0 for none.
func item(text []byte) int {
	n := 0
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	if n == len(text) {
		return 0
	}
	switch c := text[n]; {
	case n == 0 && (c == '-' || c == '+' || c == '*'), n > 0 && (c == '.' || c == ')'):
		n++
	default:
		return 0
	}
	if n == len(text) || isSpace(text[n]) {
		return n
	}
	return 0
}

// begins says whether a line, without its indentation, is for certain the
// beginning of something new: an item with something in it, or a heading.
func begins(line []byte) bool {
	if len(line) > 3 && (line[0] == '-' || line[0] == '+' || line[0] == '*') && line[1] == ' ' {
		return line[2] > ' ' && line[2] < 0x7f
	}
	hashes := len(line) - len(bytes.TrimLeft(line, "#"))
	return 1 <= hashes && hashes <= 6 && hashes < len(line) && line[hashes] == ' '
}

// rules says whether a line can be the one below the header of a table.
func rules(line []byte) bool {
	return len(bytes.Trim(line, " \t\v\f\r\n-|:>")) == 0
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// isSpecial are the characters for which the parser may look through the rest
// of a paragraph, or through what it has met before in it.
var isSpecial = [256]bool{'*': true, '_': true, '~': true, '[': true, ']': true, '`': true, '<': true}
