package buildrule

import (
	"bytes"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// WriteFile is the text of a FileName with these rules, without what is so by
// default: ParseFile reads the same rules from it, if they are valid. It does not
// fail; texts that are no UTF-8, which Validate refuses, are not kept.
func WriteFile(rules []Rule) []byte {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, r := range rules {
		list.Content = append(list.Content, ruleNode(r))
	}
	if len(rules) == 0 {
		list.Style = yaml.FlowStyle
	}
	root := &yaml.Node{Kind: yaml.MappingNode}
	put(root, "version", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: fileVersion})
	put(root, "rules", list)
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	e.Encode(root) // of nodes made here, into memory
	e.Close()
	return out.Bytes()
}

func ruleNode(r Rule) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	text := func(key, value string) {
		if value != "" {
			put(n, key, textNode(value))
		}
	}
	unless := func(usual bool, key string, on bool) {
		if on != usual {
			put(n, key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(on)})
		}
	}
	text("name", r.Name)
	text("branch", r.Branch)
	text("tag", r.Tag)
	texts(n, "tags", r.Tags)
	text("dockerfile", r.Dockerfile)
	text("context", r.Context)
	unless(true, "autobuild", r.Autobuild)
	unless(true, "cache", r.Cache)
	text("autotest", r.Autotest)
	pairs(n, "args", r.Args)
	text("target", r.Target)
	texts(n, "platforms", r.Platforms)
	pairs(n, "labels", r.Labels)
	texts(n, "needs", r.Needs)
	texts(n, "paths", r.Paths)
	texts(n, "secrets", r.Secrets)
	text("rebuild", r.Rebuild)
	text("readme", r.Readme)
	unless(false, "sbom", r.SBOM)
	unless(false, "network", r.Network)
	text("timeout", r.Timeout)
	text("idle", r.Idle)
	unless(true, "submodules", bool(r.Submodules))
	unless(true, "lfs", bool(r.LFS))
	return n
}

func put(n *yaml.Node, key string, value *yaml.Node) {
	n.Content = append(n.Content, textNode(key), value)
}

func texts(n *yaml.Node, key string, list []string) {
	if len(list) == 0 {
		return
	}
	v := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, s := range list {
		v.Content = append(v.Content, textNode(s))
	}
	put(n, key, v)
}

func pairs(n *yaml.Node, key string, table map[string]string) {
	if len(table) == 0 {
		return
	}
	v := &yaml.Node{Kind: yaml.MappingNode}
	for _, k := range slices.Sorted(maps.Keys(table)) {
		put(v, k, textNode(table[k]))
	}
	put(n, key, v)
}

// textNode is a text that YAML reads as one: the encoder quotes what it would read
// as something else, such as 1.10.
func textNode(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}
