package redact

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"
)

const (
	// MinSecret is the length in bytes from which on a secret is masked: shorter ones
	// stand in every text.
	MinSecret = 4
	minLine   = 8  // bytes of a line of a secret that is masked by itself
	segment   = 64 // bytes: longer ones are looked for in pieces, which bounds the work for a byte
)

// patterns are all forms of a secret. Those of wrapped may have line ends in them.
func patterns(secret []byte) (plain, wrapped []string) {
	// Files end with a line end that is no part of what is secret.
	value := bytes.TrimRight(secret, "\r\n")
	if len(value) < MinSecret {
		return nil, nil
	}
	texts := []string{string(value)}
	for line := range strings.Lines(texts[0]) {
		if line = strings.TrimSpace(line); len(line) >= minLine && line != texts[0] {
			texts = append(texts, line)
		}
	}
	for _, text := range texts {
		for _, form := range append(escaped(text), text) {
			plain = append(plain, pieces(form)...)
		}
	}
	for _, form := range encoded(value) {
		for _, piece := range pieces(form) {
			// A line may end within the first characters, by which a pattern is found.
			for from := range min(prefix, max(len(piece)-2*prefix, 0)+1) {
				wrapped = append(wrapped, piece[from:])
			}
		}
	}
	return plain, wrapped
}

// escaped are the forms in URLs that are not the text itself.
func escaped(text string) (list []string) {
	query := url.QueryEscape(text)
	component := strings.ReplaceAll(query, "+", "%20")
	unreserved := strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")
	for _, e := range []string{query, component, unreserved.Replace(component), url.PathEscape(text), strings.ReplaceAll(component, "%2F", "/")} {
		if e != text {
			list = append(list, e, lowerHex(e))
		}
	}
	return list
}

func lowerHex(text string) string {
	b := []byte(text)
	for k := 0; k+2 < len(b); k++ {
		if b[k] == '%' {
			copy(b[k+1:k+3], bytes.ToLower(b[k+1:k+3]))
		}
	}
	return string(b)
}

// encoded are the characters of base64 that a secret decides alone, wherever it
// stands in what is encoded.
func encoded(secret []byte) (list []string) {
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			text := encoding.EncodeToString(append(make([]byte, before), secret...))
			from, to := (before*8+5)/6, (before+len(secret))*8/6
			if to-from >= prefix {
				list = append(list, text[from:to])
			}
		}
	}
	return list
}

// pieces cuts a text; the last piece may be up to twice as long.
func pieces(text string) (list []string) {
	for len(text) >= 2*segment {
		list = append(list, text[:segment])
		text = text[segment:]
	}
	return append(list, text)
}
