// Package plaintext keeps characters that act on a terminal, or hide what a text
// says, out of names and off the screen: control characters, which move the cursor
// and set the window's title, and those that turn the direction of writing.
package plaintext

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Unsafe says whether a character does more than stand for itself: control and
// format characters, and the separators of lines and paragraphs. The two joiners
// are safe: Persian, Indic scripts and emoji need them.
func Unsafe(r rune) bool {
	const nonJoiner, joiner = 0x200c, 0x200d
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && r != nonJoiner && r != joiner
}

// IsLine says whether a text is valid UTF-8 without unsafe characters, line ends
// among them: fit to be a name or a description of one line.
func IsLine(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, Unsafe) }

// Line is a text with its unsafe characters written as in JSON, such as \u001b.
// What is no UTF-8 becomes U+FFFD.
func Line(s string) string {
	if IsLine(s) {
		return s
	}
	return string(escape([]byte(s), false))
}

// A Writer writes texts like Line does, but keeps line ends and tabs. In JSON
// unsafe characters are inside strings only, so JSON means the same as before. It
// takes a character that two calls split for two that are no UTF-8.
type Writer struct{ W io.Writer }

// Write returns len(p) when all of it was written.
func (w Writer) Write(p []byte) (int, error) {
	if _, err := w.W.Write(escape(p, true)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func escape(p []byte, lines bool) []byte {
	out := make([]byte, 0, len(p))
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		switch {
		case r == utf8.RuneError && size == 1:
			out = utf8.AppendRune(out, utf8.RuneError)
		case !Unsafe(r), lines && (r == '\n' || r == '\t'):
			out = append(out, p[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		p = p[size:]
	}
	return out
}
