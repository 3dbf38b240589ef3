package catalog

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxWord  = 64   // bytes of a word that are looked at
	maxWords = 2048 // bytes of words that one text comes to, about
)

// split gives the words of a text: runs of letters and digits, in lower case.
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

// document writes words as a column of words has them: each once, between
// single spaces, "" for none. With text before it, it begins behind its space.
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

// nameWords are the words of a name, and the first letter of each component
// behind its slash.
func nameWords(name string) []string {
	words := split(name)
	for k, component := range strings.Split(name, "/") {
		if k > 0 && component != "" && component[0] < utf8.RuneSelf {
			words = append(words, "/"+strings.ToLower(component[:1]))
		}
	}
	return words
}

// topicWord is how a topic stands among the words.
func topicWord(topic string) string {
	return ":" + strings.Map(func(r rune) rune {
		if r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, cut(strings.ToLower(topic), maxWord))
}

// parts of a name that a dictionary is worth: of three letters or more, and
// not numbers only.
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
	var list []string
	seen := map[string]bool{}
	runes := []rune(" " + part + " ")
	for k := 0; k+3 <= len(runes); k++ {
		if g := string(runes[k : k+3]); !seen[g] {
			seen[g] = true
			list = append(list, g)
		}
	}
	return list
}
