package frame

import (
	"strconv"
	"strings"
)

// A Span is text of one look. Class is one of classes, and "" for the usual look.
type Span struct{ Class, Text string }

// Coloured reads what terminals take for colours (ECMA-48, 8.3.117: SGR), as classes of
// the style sheet. Every other control sequence is left out, and of what a carriage
// return writes over each other the last stays, as on a terminal.
func Coloured(text string) (spans []Span) {
	if at := strings.LastIndexByte(strings.TrimRight(text, "\r"), '\r'); at >= 0 {
		text = text[at+1:]
	}
	bold, colour := false, ""
	var plain strings.Builder
	flush := func() {
		if plain.Len() == 0 {
			return
		}
		class := colour
		if bold {
			class = strings.TrimSpace(class + " sgr-bold")
		}
		spans = append(spans, Span{class, plain.String()})
		plain.Reset()
	}
	for len(text) > 0 {
		c := text[0]
		switch {
		case c == 0x1b && len(text) > 1 && text[1] == '[':
			parameters, final, rest := controlSequence(text[2:])
			text = rest
			if final == 'm' {
				flush()
				bold, colour = graphics(parameters, bold, colour)
			}
		case c == 0x1b && len(text) > 1 && strings.IndexByte("]PX^_", text[1]) >= 0:
			text = behindString(text[2:])
		case c == 0x1b:
			text = text[min(2, len(text)):]
		case c < ' ' && c != '\t' || c == 0x7f:
			text = text[1:]
		default:
			end := strings.IndexFunc(text[1:], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
			if end++; end == 0 {
				end = len(text)
			}
			plain.WriteString(text[:end])
			text = text[end:]
		}
	}
	flush()
	return spans
}

// controlSequence reads what is behind ESC [: parameters, a final byte, and the rest.
func controlSequence(text string) (parameters string, final byte, rest string) {
	for k := range len(text) {
		switch c := text[k]; {
		case c >= 0x40 && c <= 0x7e:
			return text[:k], c, text[k+1:]
		case c < 0x20 || c > 0x7e: // not one
			return "", 0, text[k:]
		}
	}
	return "", 0, ""
}

// behindString is the rest behind a string that BEL or ESC \ ends.
func behindString(text string) string {
	for k := range len(text) {
		if text[k] == 7 {
			return text[k+1:]
		}
		if text[k] == 0x1b {
			return text[min(k+2, len(text)):]
		}
	}
	return ""
}

var colours = []string{"", "sgr-red", "sgr-green", "sgr-yellow", "sgr-blue", "sgr-magenta", "sgr-cyan", ""}

func graphics(parameters string, bold bool, colour string) (bool, string) {
	list := strings.Split(parameters, ";")
	for k := 0; k < len(list); k++ {
		n, _ := strconv.Atoi(list[k]) // nothing means 0
		switch {
		case n == 0:
			bold, colour = false, ""
		case n == 1:
			bold = true
		case n == 22:
			bold = false
		case n >= 30 && n <= 37:
			colour = colours[n-30]
		case n >= 90 && n <= 97:
			colour = colours[n-90]
		case n == 39:
			colour = ""
		case n == 38 || n == 48: // one of 256 colours, or of all: its numbers are no codes
			switch {
			case k+1 < len(list) && list[k+1] == "5":
				k += 2
			case k+1 < len(list) && list[k+1] == "2":
				k += 4
			}
		}
	}
	return bold, colour
}
