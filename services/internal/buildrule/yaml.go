package buildrule

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// bare refuses what would make the file mean more than its text shows: aliases can
// also grow without bound.
func (f *fileReader) bare(n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		f.fail(n, fmt.Sprintf("the alias *%s cannot be used", shown(n.Value)), "a file of rules has no anchors and aliases", "write the value out")
	case n.Anchor != "":
		f.fail(n, fmt.Sprintf("the anchor &%s cannot be used", shown(n.Anchor)), "a file of rules has no anchors and aliases", "leave it out")
	case n.Style&yaml.TaggedStyle != 0:
		f.fail(n, fmt.Sprintf("the tag %s cannot be used", shown(n.Tag)), "a file of rules has no YAML tags", "leave it out")
	default:
		return true
	}
	return false
}

// plain says whether a node is a single value.
func (f *fileReader) plain(n *yaml.Node) bool { return f.bare(n) && n.Kind == yaml.ScalarNode }

// mapping reads keys by their names, and refuses others and those that come twice.
func (f *fileReader) mapping(n *yaml.Node, what string, keys map[string]func(*yaml.Node)) {
	f.entries(n, what, func(key, value *yaml.Node) {
		read, known := keys[key.Value]
		if !known {
			names := make([]string, 0, len(keys))
			for name := range keys {
				names = append(names, name)
			}
			slices.Sort(names)
			f.fail(key, fmt.Sprintf("%s is not known", quoted(key.Value)), what+" has "+strings.Join(names, ", "), "")
			return
		}
		read(value)
	})
}

// entries hands over each key of a mapping once.
func (f *fileReader) entries(n *yaml.Node, what string, each func(key, value *yaml.Node)) {
	if !f.bare(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		f.fail(n, what+" is no mapping", "", "write keys with their values, such as name: release")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch line, twice := seen[key.Value]; {
		case !f.bare(key):
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str":
			f.fail(key, "this key is no text", "", "write it in quotes")
		case twice:
			f.fail(key, fmt.Sprintf("%s is there twice", quoted(key.Value)), fmt.Sprintf("it is in line %d too", line), "leave one of them out")
		default:
			seen[key.Value] = key.Line
			each(key, n.Content[i+1])
		}
	}
}

func (f *fileReader) sequence(n *yaml.Node, most int, each func(*yaml.Node)) {
	switch {
	case !f.bare(n):
	case n.Kind != yaml.SequenceNode:
		f.fail(n, "this is no list", "", "write - in front of each entry, or [a, b]")
	case len(n.Content) > most:
		f.fail(n, fmt.Sprintf("the list has %d entries", len(n.Content)), fmt.Sprintf("it has at most %d", most), "leave some out")
	default:
		for _, item := range n.Content {
			each(item)
		}
	}
}

// value is the text of a node, which has to be one for YAML too: an unquoted 1.10
// would be the number 1.1 to other readers of the file.
func (f *fileReader) value(n *yaml.Node, empty bool) string {
	switch {
	case !f.bare(n):
	case n.Kind != yaml.ScalarNode:
		f.fail(n, "this is no text", "", "write one value")
	case n.ShortTag() == "!!null":
		f.fail(n, "there is no value", "", "write one, or leave the key out")
	case n.ShortTag() != "!!str":
		f.fail(n, fmt.Sprintf("%s is no text to YAML", quoted(n.Value)), "", fmt.Sprintf("write it in quotes: %q", shown(n.Value)))
	case n.Value == "" && !empty:
		f.fail(n, "the text is empty", "", "write one, or leave the key out")
	default:
		return n.Value
	}
	return ""
}

func (f *fileReader) text(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) { *to = f.value(n, false) }
}

func (f *fileReader) texts(to *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		f.sequence(n, MaxList, func(item *yaml.Node) { *to = append(*to, f.value(item, false)) })
	}
}

func (f *fileReader) pairs(to *map[string]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*to = map[string]string{}
		f.entries(n, "this", func(key, value *yaml.Node) { (*to)[key.Value] = f.value(value, true) })
	}
}

func (f *fileReader) truth(to *bool) func(*yaml.Node) {
	return func(n *yaml.Node) {
		switch {
		case !f.bare(n):
		case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool":
			f.fail(n, "this is neither true nor false", "", "write true or false")
		default:
			*to = n.Value == "true" || n.Value == "True" || n.Value == "TRUE"
		}
	}
}
