package service

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A pattern is a path with components that stand for others.
type pattern struct {
	text string
	head []component // before the rest, all when there is none
	rest string      // name of {rest...}, "" for none
	tail []component // behind it
}

// A component is a literal, or the name of what stands there.
type component struct{ literal, name string }

func parsePattern(text string) (*pattern, error) {
	if !strings.HasPrefix(text, "/") {
		return nil, fmt.Errorf("the pattern %q does not begin with a slash", text)
	}
	p := &pattern{text: text}
	for _, part := range components(text) {
		name, named := strings.CutPrefix(part, "{")
		if named {
			name, named = strings.CutSuffix(name, "}")
		}
		all, rest := strings.CutSuffix(name, "...")
		switch {
		case part == "" || !named && strings.ContainsAny(part, "{}") || named && all == "":
			return nil, fmt.Errorf("the pattern %q has a component %q", text, part)
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

// first is the literal that the pattern begins with, "" for the root.
func (p *pattern) first() string {
	if len(p.head) == 0 {
		return ""
	}
	return p.head[0].literal
}

// components parts a path at its slashes, without those at its ends.
func components(path string) []string {
	path = strings.TrimRight(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// componentsOf parts the path of a request. A component may have slashes that
// were written as %2F.
func componentsOf(r *http.Request) []string {
	if r.URL.RawPath == "" {
		return components(r.URL.Path)
	}
	parts := components(r.URL.EscapedPath())
	for k, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil {
			parts[k] = plain
		}
	}
	return parts
}

// literals is how many components the pattern begins with that are literal.
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

func matches(want []component, have []string) bool {
	for k, c := range want {
		if c.literal != have[k] && (c.literal != "" || have[k] == "") {
			return false
		}
	}
	return true
}

// match says whether a path is one of the pattern's.
func (p *pattern) match(path []string) bool {
	if p.rest == "" {
		return len(path) == len(p.head) && matches(p.head, path)
	}
	end := len(path) - len(p.tail)
	return end > len(p.head) && path[len(p.head)] != "" && matches(p.head, path) && matches(p.tail, path[end:])
}

// setValues gives a request the parts of its path, which matches.
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
