package catalog

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxWord  = 64   // bytes of a word that count
	maxWords = 2048 // bytes of words kept of one text, roughly
)

// split returns the words of a text: runs of letters and digits, in lower case.
func split(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	for k, w := range words {
		words[k] = cut(w, maxWord)
	}
	return words
}

// cut shortens a text to at most n bytes, between two letters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// document writes words as a column of words has them: each once and followed by
// one space, "" for none. It can be appended to a text that ends in a space.
func document(words []string) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, w := range words {
		if w == "" || seen[w] || b.Len() > maxWords {
			continue
		}
		seen[w] = true
		b.WriteString(w)
		b.WriteByte(' ')
	}
	return b.String()
}

// nameWords are the words of a name and, for each component but the first, a slash
// and its first letter.
func nameWords(name string) []string {
	words := split(name)
	for k, component := range strings.Split(name, "/") {
		if k > 0 && component != "" && component[0] < utf8.RuneSelf {
			words = append(words, "/"+strings.ToLower(component[:1]))
		}
	}
	return words
}

// topicWord is a topic as one of the words of an entry.
func topicWord(topic string) string {
	return ":" + strings.Map(func(r rune) rune {
		if r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, cut(strings.ToLower(topic), maxWord))
}

// parts are the words of a name that the dictionary has: those of three letters or
// more that are not numbers.
func parts(name string) []string {
	var list []string
	for _, w := range split(name) {
		if len(w) >= 3 && strings.Trim(w, "0123456789") != "" {
			list = append(list, w)
		}
	}
	return list
}

// trigrams of a part with a space at either end, each once.
func trigrams(part string) []string {
	text, at := " "+part+" ", make([]int, 0, len(part)+3)
	for k := range text {
		at = append(at, k)
	}
	at = append(at, len(text))
	list := make([]string, 0, len(part))
	for k := 0; k+3 < len(at); k++ {
		if g := text[at[k]:at[k+3]]; !slices.Contains(list, g) {
			list = append(list, g)
		}
	}
	return list
}
