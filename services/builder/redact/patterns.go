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
	minLine   = 8   // bytes of a line of a secret that is masked by itself
	segment   = 256 // bytes: longer ones are looked for in pieces, which bounds the work for a byte
)

// A pattern is one of the texts that are masked.
type pattern struct {
	text    string
	wrapped bool // line ends may stand in it, as base64(1) makes them
}

// patterns are all forms of a secret.
func patterns(secret []byte) (list []pattern) {
	raw := func(text string) {
		for _, part := range pieces(text) {
			list = append(list, pattern{part, false})
		}
	}
	// Files end with a line end that is no part of what is secret.
	value := bytes.TrimRight(secret, "\r\n")
	if len(value) < MinSecret {
		return nil
	}
	text := string(value)
	raw(text)
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); len(line) >= minLine && line != text {
			raw(line)
			for _, e := range escaped(line) {
				raw(e)
			}
		}
	}
	for _, e := range escaped(text) {
		raw(e)
	}
	for _, e := range encoded(value) {
		for _, part := range pieces(e) {
			// A line may end within the first characters, by which a pattern is found.
			for from := range 4 {
				if len(part)-from >= 2*prefix {
					list = append(list, pattern{part[from:], true})
				}
			}
			if len(part) < 2*prefix {
				list = append(list, pattern{part, true})
			}
		}
	}
	return list
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
