package buildrule

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"hubledger/services/internal/plaintext"
	"hubledger/services/internal/repository"
)

// A patternError says where a source is no RE2 pattern, and why. offset is in bytes
// of the source as it was written, with its first slash.
type patternError struct {
	offset int
	why    string
	fix    string
}

// isPattern says whether a source is /pattern/ rather than a name: no ref's name
// begins with a slash.
func isPattern(source string) bool { return strings.HasPrefix(source, "/") }

// parsePattern reads /pattern/. size is what the program counts towards
// repository.MaxProgram.
func parsePattern(source string) (re *regexp.Regexp, tree *syntax.Regexp, size int, bad *patternError) {
	last := strings.LastIndexByte(source, '/')
	switch {
	case last == 0:
		return nil, nil, 0, &patternError{len(source), "a pattern ends with a slash", "write " + source + "/"}
	case last < len(source)-1:
		return nil, nil, 0, &patternError{last + 1, "nothing may follow the last slash of a pattern", "write flags in front, such as /(?i)release/"}
	case last == 1:
		return nil, nil, 0, &patternError{1, "the pattern is empty", "write /.*/ for every ref"}
	case last-1 > repository.MaxPatternLength:
		return nil, nil, 0, &patternError{1, fmt.Sprintf("a pattern has at most %d bytes", repository.MaxPatternLength), "shorten it"}
	}
	text := source[1:last]
	if i := strings.IndexFunc(text, plaintext.Unsafe); i >= 0 {
		return nil, nil, 0, &patternError{i + 1, "it contains a character that cannot be seen", "leave it out: no name of a branch or tag has one"}
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err == nil {
		if size = repository.ProgramSize(tree); size > repository.MaxProgram {
			return nil, nil, 0, &patternError{1, fmt.Sprintf("it repeats too much: a pattern has at most %d steps, and x{100} has 100", repository.MaxProgram), "use + or * instead of large counts"}
		}
		re, err = regexp.Compile(text)
	}
	if err != nil {
		bad = explain(text, err)
		bad.offset++
		return nil, nil, 0, bad
	}
	return re, tree, size, nil
}

// explain finds the place and the reason of what syntax.Parse refused.
func explain(text string, err error) *patternError {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return &patternError{0, err.Error(), ""}
	}
	at := place(text, e)
	rest := text[min(at, len(text)):]
	for _, k := range unknownToRE2 {
		if k.begins.MatchString(rest) {
			return &patternError{at, k.why, k.fix}
		}
	}
	why, fix := e.Code.String(), ""
	if e.Code == syntax.ErrInvalidRepeatOp {
		why, fix = "a repetition of a repetition is not known to RE2", "leave the second one out"
		if strings.HasSuffix(e.Expr, "+") {
			why, fix = "possessive quantifiers are not known to RE2, which never backtracks", "leave the last + out"
		}
	}
	if plain, ok := plainReasons[e.Code]; ok {
		why, fix = plain[0], plain[1]
	}
	return &patternError{at, why, fix}
}

// place is the byte offset of what is wrong. The parser names only the text of it,
// which may stand in the pattern several times: it reads from left to right, so that
// what is behind that place can be taken away and the error stays.
func place(text string, e *syntax.Error) int {
	switch e.Code {
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
		return unpaired(text)
	case syntax.ErrInvalidUTF8:
		for i, r := range text {
			if _, size := utf8.DecodeRuneInString(text[i:]); r == utf8.RuneError && size == 1 {
				return i
			}
		}
	case syntax.ErrTrailingBackslash:
		return len(text) - 1
	case syntax.ErrInvalidNamedCapture, syntax.ErrMissingBracket:
		if strings.HasSuffix(text, e.Expr) {
			return len(text) - len(e.Expr)
		}
	}
	end := len(text)
	for ; end > 0; end-- {
		var have *syntax.Error
		if _, err := syntax.Parse(text[:end-1], syntax.Perl); !errors.As(err, &have) || have.Code != e.Code || have.Expr != e.Expr {
			break
		}
	}
	return max(0, end-len(e.Expr))
}

// unpaired is the offset of the first ) that closes nothing, else of the last ( that
// nothing closes.
func unpaired(text string) int {
	var open []int
	class := -1 // where the present [ began
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case strings.HasPrefix(text[i:], `\Q`) && class < 0:
			end := strings.Index(text[i:], `\E`)
			if end < 0 {
				end = len(text)
			}
			i += end + 1
		case c == '\\':
			i++
		case class >= 0 && strings.HasPrefix(text[i:], "[:") && strings.Contains(text[i:], ":]"):
			i += strings.Index(text[i:], ":]") + 1
		case class >= 0:
			if first := strings.TrimPrefix(text[class+1:i], "^"); c == ']' && first != "" {
				class = -1
			}
		case c == '[':
			class = i
		case c == '(':
			open = append(open, i)
		case c == ')' && len(open) == 0:
			return i
		case c == ')':
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return 0
	}
	return open[len(open)-1]
}
