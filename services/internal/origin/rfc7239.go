package origin

import "strings"

// elements reads Forwarded headers (RFC 7239): the addresses of the chain, one per
// entry and that of the nearest proxy last, and the scheme and host that the
// nearest proxy gives. An entry that cannot be read is empty; the chain ends there.
func elements(lines []string) (hops []string, proto, host string) {
	for _, line := range lines {
		for _, element := range split(line, ',') {
			proto, host = "", ""
			hop := ""
			for _, pair := range split(element, ';') {
				name, value, _ := strings.Cut(pair, "=")
				value, ok := unquote(strings.TrimSpace(value))
				if !ok {
					continue
				}
				switch strings.ToLower(strings.TrimSpace(name)) {
				case "for":
					hop = value
				case "proto":
					proto = value
				case "host":
					host = value
				}
			}
			// An entry is one address. Without its commas, a list cannot be read as one.
			hops = append(hops, strings.ReplaceAll(hop, ",", " "))
		}
	}
	return hops, proto, host
}

// split cuts s at each sep that is not within quotes.
func split(s string, sep byte) []string {
	var parts []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			parts, start = append(parts, s[start:i]), i+1
		}
	}
	return append(parts, s[start:])
}

// unquote reads a token or a quoted-string (RFC 9110, section 5.6.4).
func unquote(s string) (string, bool) {
	if !strings.HasPrefix(s, `"`) {
		return s, true
	}
	if len(s) < 2 || s[len(s)-1] != '"' {
		return "", false
	}
	var b strings.Builder
	inner := s[1 : len(s)-1]
	for i := 0; i < len(inner); i++ {
		if inner[i] == '"' {
			return "", false
		}
		if inner[i] == '\\' {
			if i++; i == len(inner) {
				return "", false
			}
		}
		b.WriteByte(inner[i])
	}
	return b.String(), true
}
