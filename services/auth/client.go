package auth

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxClientName bounds what is kept of what a client calls itself, in bytes.
const maxClientName = 64

// clientName is what a client calls itself, fit to be shown.
func clientName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	for len(s) > maxClientName {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	if s = strings.TrimSpace(s); s == "" {
		return "docker login"
	}
	return s
}
