package origin

import "strings"

// elements reads Forwarded headers (RFC 7239): the address, the scheme and the host
// that each entry gives, that of the nearest proxy last. What an entry does not
// give, or what cannot be read, is empty.
func elements(lines []string) (hops, protos, hosts []string) {
	for _, line := range lines {
		for _, element := range split(line, ',') {
			var hop, proto, host string
			for _, pair := range split(element, ';') {
				name, value, _ := strings.Cut(pair, "=")
				value, ok := unquote(strings.TrimSpace(value))
				if !ok {
					continue
				}
				// Each list has one value per entry, and a comma would make two of it.
				value = strings.ReplaceAll(value, ",", " ")
				switch strings.ToLower(strings.TrimSpace(name)) {
				case "for":
					hop = value
				case "proto":
					proto = value
				case "host":
					host = value
				}
			}
			hops, protos, hosts = append(hops, hop), append(protos, proto), append(hosts, host)
		}
	}
	return hops, protos, hosts
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
