package compose

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/template"
)

// values are those of variables, as far as maxFilled lets them be put in.
type values struct {
	of     map[string]string
	filled int // bytes so far
}

func (v *values) lookup(name string) (string, bool) {
	value, set := v.of[name]
	if v.filled += len(value); v.filled > maxFilled {
		return "", set
	}
	return value, set
}

var portRange = regexp.MustCompile(`([0-9]+)-([0-9]+)`)

// portRanges refuses ports of which compose-go would make too many: it makes one of each
// port of a range, and a file of a few kilobytes could name hundreds of millions.
func (r *reader) portRanges(file map[string]any, s Setting) {
	v := &values{of: s.Values}
	services := r.named(file, "services")
	for _, name := range sorted(services) {
		of, _ := services[name].(map[string]any)
		list, _ := of["ports"].([]any)
		ports := len(list)
		for _, item := range list {
			text, ok := item.(string)
			if !ok {
				continue
			}
			text, err := template.Substitute(text, v.lookup)
			if err != nil || v.filled > maxFilled {
				break // load says so
			}
			most := 0
			for _, m := range portRange.FindAllStringSubmatch(text, -1) {
				first, last := portNumber(m[1]), portNumber(m[2])
				most = max(most, last-first)
			}
			ports += most
		}
		if ports > maxPorts {
			r.at(join(join("services", name), "ports"), "the service has %d ports, and at most %d", ports, maxPorts)
		}
	}
}

// portNumber is a number that is at most that of a port and one more.
func portNumber(digits string) int {
	n, err := strconv.ParseUint(digits, 10, 17)
	if err != nil {
		return 1 << 16
	}
	return int(n)
}

// nested is how deep variables are within each other in a text: reading them takes time by
// the square of it.
func nested(text string) (deepest int) {
	for depth := 0; ; depth++ {
		open := strings.Index(text, "${")
		if open < 0 {
			return deepest
		}
		depth = max(0, depth-strings.Count(text[:open], "}"))
		deepest, text = max(deepest, depth+1), text[open+2:]
	}
}
