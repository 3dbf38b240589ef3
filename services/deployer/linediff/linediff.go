// Package linediff says in which lines two texts differ.
package linediff

import "strings"

// A Line is one of either text, or of both.
type Line struct {
	Sign string // "-" of the first, "+" of the second, " " of both, "…" for lines that are left out
	A, B int    // numbers of the line from 1; 0 where a text does not have it
	Text string
}

// around is how many lines of both are shown beside those that differ.
const around = 3

// maxCells bounds the table by which lines are compared: where more lines lie between the
// first and the last difference, these are all shown as replaced.
const maxCells = 4 << 20

// Of are the lines in which two texts differ, with some of both around them. None when
// they are the same.
func Of(before, after string) []Line {
	a, b := lines(before), lines(after)
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	if start == len(a) && start == len(b) {
		return nil
	}
	var all []Line
	for k := range start {
		all = append(all, Line{" ", k + 1, k + 1, a[k]})
	}
	all = append(all, middle(a[start:len(a)-end], b[start:len(b)-end], start)...)
	for k := range end {
		i, j := len(a)-end+k, len(b)-end+k
		all = append(all, Line{" ", i + 1, j + 1, a[i]})
	}
	return near(all)
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// middle compares by the longest common subsequence of lines. start lines come before.
func middle(a, b []string, start int) (out []Line) {
	common := func(i, j int) int { return 0 }
	if (len(a)+1)*(len(b)+1) <= maxCells {
		width := len(b) + 1
		table := make([]int32, (len(a)+1)*width)
		for i := len(a) - 1; i >= 0; i-- {
			for j := len(b) - 1; j >= 0; j-- {
				if a[i] == b[j] {
					table[i*width+j] = table[(i+1)*width+j+1] + 1
				} else {
					table[i*width+j] = max(table[(i+1)*width+j], table[i*width+j+1])
				}
			}
		}
		common = func(i, j int) int { return int(table[i*width+j]) }
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j] && common(i, j) > 0:
			out = append(out, Line{" ", start + i + 1, start + j + 1, a[i]})
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common(i+1, j) >= common(i, j+1)):
			out = append(out, Line{"-", start + i + 1, 0, a[i]})
			i++
		default:
			out = append(out, Line{"+", 0, start + j + 1, b[j]})
			j++
		}
	}
	return out
}

// near leaves out what is far from every difference.
func near(all []Line) (out []Line) {
	shown := make([]bool, len(all))
	for k, l := range all {
		if l.Sign != " " {
			for n := max(0, k-around); n <= min(len(all)-1, k+around); n++ {
				shown[n] = true
			}
		}
	}
	for k, l := range all {
		switch {
		case shown[k]:
			out = append(out, l)
		case k == 0 || shown[k-1]:
			out = append(out, Line{Sign: "…"})
		}
	}
	return out
}
