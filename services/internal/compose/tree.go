package compose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A reader turns the text of a file into plain values, within bounds, and collects what
// is wrong with it.
type reader struct {
	lines    map[string]int // by path
	values   int            // read so far
	problems []Problem
	full     bool // a bound was met: nothing more is read
	filled   bool // the variables have their values
}

func (r *reader) fail(path string, line int, format string, args ...any) {
	if len(r.problems) == maxProblems {
		r.full = true
	}
	if !r.full {
		r.problems = append(r.problems, Problem{Path: path, Line: line, Text: fmt.Sprintf(format, args...), Filled: r.filled})
	}
}

// at is fail at the line of a path, or of the nearest one above it.
func (r *reader) at(path, format string, args ...any) {
	for of := path; ; {
		if line, known := r.lines[of]; known {
			r.fail(path, line, format, args...)
			return
		}
		k := strings.LastIndexByte(of, '.')
		if k < 0 {
			r.fail(path, 0, format, args...)
			return
		}
		of = of[:k]
	}
}

// read gives the file as a mapping; nil when there is none.
func (r *reader) read(text []byte) map[string]any {
	switch {
	case len(text) > MaxBytes:
		r.fail("", 0, "the file has %d bytes, and at most %d", len(text), MaxBytes)
		return nil
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		r.fail("", 0, "the file is no text: it has to be UTF-8 without NUL bytes")
		return nil
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	err := d.Decode(&doc)
	if err == nil {
		if err = d.Decode(&more); err == nil {
			r.fail("", more.Line, "the file has a second document: write one")
			return nil
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err != nil {
		r.fail("", 0, "this is no YAML: %.200s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	}
	if len(doc.Content) == 0 {
		r.fail("", 0, "the file is empty: it has at least services")
		return nil
	}
	all, ok := r.value(doc.Content[0], "", 0).(map[string]any)
	if !ok && len(r.problems) == 0 {
		r.fail("", doc.Content[0].Line, "the file is no mapping: it begins with services:")
	}
	return all
}

// value is a node as a plain value: nil, bool, int, float64, string, []any or
// map[string]any.
func (r *reader) value(n *yaml.Node, path string, depth int) any {
	if r.values++; r.values > maxValues || depth > maxDepth {
		if !r.full {
			r.fail(path, n.Line, "the file has more than %d values, or values within each other more than %d deep: leave out aliases that repeat each other", maxValues, maxDepth)
		}
		r.full = true
	}
	if r.full {
		return nil
	}
	if _, known := r.lines[path]; !known && path != "" {
		r.lines[path] = n.Line
	}
	if n.Kind == yaml.AliasNode {
		return r.value(n.Alias, path, depth+1)
	}
	if n.Style&yaml.TaggedStyle != 0 {
		r.fail(path, n.Line, "the tag %.40s cannot be used: leave it out", n.Tag)
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		r.mapping(n, path, depth, out, map[string]int{})
		return out
	case yaml.SequenceNode:
		out := make([]any, 0, len(n.Content))
		for k, item := range n.Content {
			out = append(out, r.value(item, fmt.Sprintf("%s[%d]", path, k), depth+1))
		}
		return out
	}
	return r.scalar(n, path)
}

// mapping reads the entries of a mapping. Those that a merge key brings count less than
// the mapping's own.
func (r *reader) mapping(n *yaml.Node, path string, depth int, out map[string]any, seen map[string]int) {
	var merged []*yaml.Node
	for k := 0; k+1 < len(n.Content) && !r.full; k += 2 {
		key, value := n.Content[k], n.Content[k+1]
		if key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		for key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode || key.Style&yaml.TaggedStyle != 0 || key.ShortTag() == "!!null" {
			r.fail(path, key.Line, "a key is no text")
			continue
		}
		if line, twice := seen[key.Value]; twice {
			r.fail(join(path, key.Value), key.Line, "this is there twice, in line %d too: leave one of them out", line)
			continue
		}
		seen[key.Value] = key.Line
		r.lines[join(path, key.Value)] = key.Line
		out[key.Value] = r.value(value, join(path, key.Value), depth+1)
	}
	for _, m := range merged {
		r.merge(m, path, depth+1, out)
	}
}

func (r *reader) merge(n *yaml.Node, path string, depth int, out map[string]any) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	for _, from := range list {
		more, ok := r.value(from, path, depth).(map[string]any)
		if !ok {
			r.fail(path, n.Line, "<< merges a mapping, or a list of mappings, and this is none")
			continue
		}
		for key, value := range more {
			if _, own := out[key]; !own {
				out[key] = value
			}
		}
	}
}

func (r *reader) scalar(n *yaml.Node, path string) any {
	if len(n.Value) > maxText {
		r.fail(path, n.Line, "the value has %d bytes, and at most %d", len(n.Value), maxText)
		return nil
	}
	if nested(n.Value) > maxNested {
		r.fail(path, n.Line, "variables are within each other's defaults more than %d deep", maxNested)
		return nil
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		i, err := strconv.ParseInt(n.Value, 0, 64)
		if err != nil || i > math.MaxInt32*1024 || i < -math.MaxInt32 {
			r.fail(path, n.Line, "the number %.40s is too large", n.Value)
			return nil
		}
		return int(i)
	case "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			r.fail(path, n.Line, "%.40s is no number that can be used", n.Value)
			return nil
		}
		return f
	}
	return n.Value
}

func join(path, key string) string {
	if len(key) > 60 {
		key = key[:60] + "…"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
