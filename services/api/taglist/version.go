package taglist

import (
	"cmp"
	"strings"
)

// A version is how a tag compares with others: by its numbers, when it begins with
// some, as v1.2.3, 1.2 and 1.2-rc.1 do.
type version struct {
	is bool
	// key orders in bytes: versions by their numbers, where one that is not there
	// counts as the highest (1.2 is 1.2.x), and then what follows, where nothing is the
	// highest (1.2 is newer than 1.2-rc.1). Other names by the numbers in them.
	key string
}

const highest = "\xff"

func versionOf(tag string) version {
	rest := tag
	if len(rest) > 1 && (rest[0] == 'v' || rest[0] == 'V') {
		rest = rest[1:]
	}
	if !digit(rest[0]) || commit(tag) {
		return version{key: natural(strings.ToLower(tag))}
	}
	var key strings.Builder
	for len(rest) > 0 && digit(rest[0]) {
		var n string
		n, rest = digits(rest)
		number(&key, n)
		if len(rest) > 1 && rest[0] == '.' && digit(rest[1]) {
			rest = rest[1:]
		}
	}
	key.WriteString(highest)
	if rest == "" {
		key.WriteString(highest)
	} else {
		key.WriteString(natural(strings.ToLower(strings.TrimLeft(rest, "-._"))))
	}
	return version{is: true, key: key.String()}
}

// compare orders versions before other names, the newest first.
func (v version) compare(w version) int {
	switch {
	case v.is && w.is:
		return cmp.Compare(w.key, v.key)
	case v.is:
		return -1
	case w.is:
		return 1
	}
	return cmp.Compare(v.key, w.key)
}

// natural is a text whose order in bytes is that of people: x9 comes before x10.
func natural(text string) string {
	var b strings.Builder
	for text != "" {
		if digit(text[0]) {
			var n string
			n, text = digits(text)
			number(&b, n)
			continue
		}
		b.WriteByte(text[0])
		text = text[1:]
	}
	return b.String()
}

// number writes a number so that longer ones come after shorter ones. A tag has at
// most 128 characters.
func number(b *strings.Builder, digits string) {
	digits = strings.TrimLeft(digits, "0")
	b.WriteByte('0')
	b.WriteByte(byte(len(digits)))
	b.WriteString(digits)
}

func digits(text string) (number, rest string) {
	k := 0
	for k < len(text) && digit(text[k]) {
		k++
	}
	return text[:k], text[k:]
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// commit says whether a tag looks like the id of a commit: such numbers are no version.
func commit(tag string) bool {
	letters := false
	for k := range len(tag) {
		switch c := tag[k]; {
		case 'a' <= c && c <= 'f':
			letters = true
		case !digit(c):
			return false
		}
	}
	return letters && len(tag) >= 7
}
