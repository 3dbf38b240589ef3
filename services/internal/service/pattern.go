package service

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A pattern is a path in which components may be placeholders.
type pattern struct {
	text string
	head []component // components before {rest...}; all of them if there is none
	rest string      // name of {rest...}, "" for none
	tail []component // components after {rest...}
}

// A component is a literal, or a placeholder with a name.
type component struct{ literal, name string }

func parsePattern(text string) (*pattern, error) {
	if !strings.HasPrefix(text, "/") {
		return nil, fmt.Errorf("the pattern %q does not begin with a slash", text)
	}
	p := &pattern{text: text}
	for _, part := range components(nil, text) {
		name, named := strings.CutPrefix(part, "{")
		if named {
			name, named = strings.CutSuffix(name, "}")
		}
		all, rest := strings.CutSuffix(name, "...")
		switch {
		case part == "" || !named && strings.ContainsAny(part, "{}") || named && all == "":
			return nil, fmt.Errorf("the pattern %q has the invalid component %q", text, part)
		case named && rest && p.rest != "":
			return nil, fmt.Errorf("the pattern %q has more than one rest", text)
		case named && rest:
			p.rest = all
		default:
			c := component{literal: part}
			if named {
				c = component{name: name}
			}
			if p.rest == "" {
				p.head = append(p.head, c)
			} else {
				p.tail = append(p.tail, c)
			}
		}
	}
	if len(p.head) > 0 && p.head[0].literal == "" || len(p.head) == 0 && p.rest != "" {
		return nil, fmt.Errorf("the pattern %q does not begin with a literal component", text)
	}
	return p, nil
}

// start is the first two literals that the pattern begins with.
func (p *pattern) start() (s start) {
	for k := range min(p.literals(), len(s)) {
		s[k] = p.head[k].literal
	}
	return s
}

// components appends the parts of a path between its slashes to parts. Slashes at
// the ends of the path do not count.
func components(parts []string, path string) []string {
	path = strings.TrimRight(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return parts
	}
	for part := range strings.SplitSeq(path, "/") {
		parts = append(parts, part)
	}
	return parts
}

// componentsOf appends the components of a request's path to parts. A component
// may contain slashes that the client wrote as %2F.
func componentsOf(parts []string, r *http.Request) []string {
	if r.URL.RawPath == "" {
		return components(parts, r.URL.Path)
	}
	parts = components(parts, r.URL.EscapedPath())
	for k, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil {
			parts[k] = plain
		}
	}
	return parts
}

// literals is the number of literal components that the pattern begins with.
func (p *pattern) literals() int {
	for k, c := range p.head {
		if c.literal == "" {
			return k
		}
	}
	return len(p.head)
}

// closeness is higher the more literals a path has in common with the
// beginning of the pattern, and higher still when it has all of them. It is 0
// when it has none.
func (p *pattern) closeness(path []string) int {
	n, all := 0, p.literals()
	for n < all && n < len(path) && p.head[n].literal == path[n] {
		n++
	}
	if n == all {
		return 2*n + 1
	}
	return 2 * n
}

// allLiterals is how many components of the pattern are literal.
func (p *pattern) allLiterals() (n int) {
	for _, c := range append(slices.Clip(p.head), p.tail...) {
		if c.literal != "" {
			n++
		}
	}
	return n
}

// sameShape says whether two patterns differ at most in what is literal.
func (p *pattern) sameShape(other *pattern) bool {
	return len(p.head) == len(other.head) && len(p.tail) == len(other.tail) && (p.rest == "") == (other.rest == "")
}

func matches(want []component, have []string) bool {
	for k, c := range want {
		if c.literal != "" && c.literal != have[k] {
			return false
		}
	}
	return true
}

// match says whether the pattern matches a path.
func (p *pattern) match(path []string) bool {
	if p.rest == "" {
		return len(path) == len(p.head) && matches(p.head, path)
	}
	end := len(path) - len(p.tail)
	return end > len(p.head) && matches(p.head, path) && matches(p.tail, path[end:])
}

// setValues sets the path values of a request whose path matches.
func (p *pattern) setValues(r *http.Request, path []string) {
	r.Pattern = p.text
	for k, c := range p.head {
		if c.name != "" {
			r.SetPathValue(c.name, path[k])
		}
	}
	if p.rest == "" {
		return
	}
	end := len(path) - len(p.tail)
	r.SetPathValue(p.rest, strings.Join(path[len(p.head):end], "/"))
	for k, c := range p.tail {
		if c.name != "" {
			r.SetPathValue(c.name, path[end+k])
		}
	}
}
