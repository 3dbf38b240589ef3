package buildrule

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"

	"hubledger/events"
)

// FileName is the file in the root of a repository that its rules can be in.
const FileName = ".hubledger.yml"

// FileVersion is the only value of the key version; another meaning gets another one.
const FileVersion = 1

var fileVersion = strconv.Itoa(FileVersion)

// A File is what a FileName says; as JSON it is one, too.
type File struct {
	Version int    `json:"version"` // FileVersion
	Rules   []Rule `json:"rules"`
}

// ParseFile reads the rules of a FileName and validates them. Rules are nil when
// there is an error. Every problem has its line and column. What the file may be is
// also written as a JSON Schema, in schemas/buildfile; YAML's anchors, aliases, tags and
// second documents are refused, and every text that YAML would read as a number, a
// date or a truth value has to be in quotes.
func ParseFile(text []byte) ([]Rule, Problems) {
	f := &fileReader{}
	root := f.document(text)
	if root == nil {
		return nil, f.problems
	}
	rules := f.file(root)
	if len(f.problems) > 0 {
		return nil, f.problems
	}
	problems := Validate(rules)
	for i := range problems {
		f.locate(&problems[i])
	}
	if len(problems.Errors()) > 0 {
		return nil, problems
	}
	return rules, problems
}

// A fileReader collects problems, and knows where the fields of the rules stand.
type fileReader struct {
	problems Problems
	rules    []*yaml.Node
	list     *yaml.Node // of the rules
}

func (f *fileReader) fail(n *yaml.Node, what, why, fix string) {
	f.problems = append(f.problems, Problem{Index: -1, What: what, Why: why, Fix: fix, Line: max(1, n.Line), LineColumn: max(1, n.Column)})
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// document is the root of the only document, nil after a problem.
func (f *fileReader) document(text []byte) *yaml.Node {
	if len(text) > MaxFileBytes {
		f.fail(&yaml.Node{}, fmt.Sprintf("the file has %d bytes", len(text)), fmt.Sprintf("it has at most %d", MaxFileBytes), "let one pattern match several refs")
		return nil
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		f.fail(&doc, "the file is empty", "", "write version: 1 and rules:")
		return nil
	case err != nil:
		at := &yaml.Node{}
		m := yamlLine.FindStringSubmatch(err.Error())
		if m == nil {
			m = []string{"", "", err.Error()}
		}
		at.Line, _ = strconv.Atoi(m[1])
		f.fail(at, "this is no YAML", shown(m[2]), "")
		return nil
	}
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		f.fail(&second, "a second document begins", "a file has one", "leave out what follows ---")
		return nil
	}
	if len(doc.Content) != 1 {
		f.fail(&doc, "the file is empty", "", "write version: 1 and rules:")
		return nil
	}
	return doc.Content[0]
}

func (f *fileReader) file(root *yaml.Node) []Rule {
	var rules []Rule
	version := false
	f.mapping(root, "the file", map[string]func(*yaml.Node){
		"version": func(n *yaml.Node) {
			version = true
			if !f.plain(n) || n.ShortTag() != "!!int" || n.Value != fileVersion {
				f.fail(n, "the version is not known", "", "write version: "+fileVersion)
			}
		},
		"rules": func(n *yaml.Node) {
			f.list = n
			f.sequence(n, MaxRules, func(item *yaml.Node) {
				f.rules = append(f.rules, item)
				rules = append(rules, f.rule(item))
			})
		},
	})
	if !version && len(f.problems) == 0 {
		f.fail(root, "there is no version", "", "write version: "+fileVersion)
	}
	if f.list == nil && len(f.problems) == 0 {
		f.fail(root, "there are no rules", "", "write rules: and a list of them")
	}
	return rules
}

func (f *fileReader) rule(n *yaml.Node) Rule {
	r := events.DefaultBuildRule()
	given := map[string]bool{}
	fields := map[string]func(*yaml.Node){
		"name": f.text(&r.Name), "branch": f.text(&r.Branch), "tag": f.text(&r.Tag), "tags": f.texts(&r.Tags),
		"dockerfile": f.text(&r.Dockerfile), "context": f.text(&r.Context), "autobuild": f.truth(&r.Autobuild), "cache": f.truth(&r.Cache),
		"autotest": f.text(&r.Autotest), "args": f.pairs(&r.Args), "target": f.text(&r.Target), "platforms": f.texts(&r.Platforms),
		"labels": f.pairs(&r.Labels), "needs": f.texts(&r.Needs), "paths": f.texts(&r.Paths), "secrets": f.texts(&r.Secrets), "rebuild": f.text(&r.Rebuild), "readme": f.text(&r.Readme),
		"sbom": f.truth(&r.SBOM), "network": f.truth(&r.Network), "timeout": f.text(&r.Timeout), "idle": f.text(&r.Idle), "submodules": f.truth((*bool)(&r.Submodules)), "lfs": f.truth((*bool)(&r.LFS)),
	}
	for name, read := range fields {
		fields[name] = func(v *yaml.Node) { given[name] = true; read(v) }
	}
	before := len(f.problems)
	f.mapping(n, "a rule", fields)
	for _, name := range []string{"name", "tags"} {
		if !given[name] && len(f.problems) == before {
			f.fail(n, "the rule has no "+name, "", "write "+name+": and its value")
		}
	}
	return r
}

// locate gives a problem of Validate its place in the file.
func (f *fileReader) locate(p *Problem) {
	at := f.list
	if p.Index >= 0 && p.Index < len(f.rules) {
		at = f.rules[p.Index]
		for i := 0; i+1 < len(at.Content); i += 2 {
			if at.Content[i].Value == p.Field {
				at = at.Content[i+1]
				break
			}
		}
	}
	p.Line, p.LineColumn = at.Line, at.Column
}
