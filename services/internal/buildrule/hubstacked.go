package buildrule

import "strings"

// stacked says whether a paste has each cell in a line of its own: some line is a source
// type and nothing else, and no line has several cells.
func stacked(lines []string) bool {
	found := false
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if strings.ContainsRune(line, '\t') || gap.MatchString(line) {
			return false
		}
		found = found || sourceType(line)
	}
	return found
}

func sourceType(cell string) bool {
	kind := strings.ToLower(cell)
	return kind == Branch || kind == Tag
}

// readStacked reads rules that each begin with a line that is their source type.
func (t *table) readStacked(lines []string) {
	var cells []string
	begin := 0
	end := func() {
		if t.line = begin; len(cells) > 0 {
			t.take(cells, false)
		}
		cells = nil
	}
	for i, line := range lines {
		cell := strings.TrimSpace(line)
		_, heading := headings[strings.ToLower(cell)]
		switch {
		case cell == "":
		case sourceType(cell):
			end()
			cells, begin = []string{cell}, i+1
		case len(cells) > 0:
			cells = append(cells, cell)
		case !heading:
			t.line = i + 1
			t.lose("%s stands before the first rule: a rule begins with Branch or Tag", quoted(cell))
		}
	}
	end()
}
