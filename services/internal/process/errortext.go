package process

import (
	"regexp"
	"strings"
	"unicode"
)

// maxError bounds the text of an error that is kept, in bytes.
const maxError = 500

// What looks like a secret in an error: error texts of clients quote URLs and
// headers.
var secretForms = []struct {
	form *regexp.Regexp
	kept string
}{
	{regexp.MustCompile(`://[^/\s@]+@`), "://…@"},
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]+`), "$1 …"},
	{regexp.MustCompile(`hlt_[A-Za-z0-9_-]+`), "hlt_…"},
	{regexp.MustCompile(`(?i)([a-z_-]*(?:password|passwd|secret|token|signature|api[_-]?key)[a-z_-]*["']?\s*[=:]\s*["']?)[^\s"'&,;]+`), "${1}…"},
}

// ErrorText is an error as it is kept and shown to people: one line, bounded, without
// what looks like a secret.
func ErrorText(err error) string {
	s := err.Error()
	if len(s) > 8*maxError {
		s = s[:8*maxError]
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	for _, secret := range secretForms {
		s = secret.form.ReplaceAllString(s, secret.kept)
	}
	if len(s) > maxError {
		s = strings.ToValidUTF8(s[:maxError-len("…")], "") + "…"
	}
	return s
}
