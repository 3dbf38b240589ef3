package service

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// isText says whether the path of a URL and all in its query is text that every
// database takes: UTF-8 without null characters.
func isText(u *url.URL) bool {
	if !textual(u.Path) {
		return false
	}
	if u.RawQuery == "" {
		return true
	}
	for part := range strings.FieldsFuncSeq(u.RawQuery, func(r rune) bool { return r == '&' || r == '=' || r == ';' }) {
		plain, err := url.QueryUnescape(part)
		if err != nil {
			continue // url.ParseQuery leaves it out
		}
		if !textual(plain) {
			return false
		}
	}
	return true
}

func textual(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
