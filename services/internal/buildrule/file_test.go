package buildrule_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"hubledger/events"
	"hubledger/schemas/buildfile"
	"hubledger/services/internal/buildrule"
)

const (
	head  = "version: 1\nrules:\n- name: a\n  branch: main\n  tags: [latest]\n"
	whole = `# All that a rule can have.
version: 1
rules:
  - name: release
    tag: /^v([0-9.]+)$/
    tags: ['{\1}', latest]
    dockerfile: docker/Dockerfile
    context: docker
    autobuild: false
    cache: false
    autotest: all
    rebuild: base
    args: {VERSION: "1.10", EMPTY: ""}
    target: final
    platforms: [linux/amd64, linux/arm/v7]
    labels:
      org.opencontainers.image.title: "An app"
    needs: [base]
    paths: ["src/**", "!src/docs"]
    secrets: [NPM_TOKEN]
    sbom: true
    network: true
    timeout: 2h
    idle: 10m
    submodules: false
    lfs: false
  - name: base
    tag: "v1"
    tags: [base]
`
)

func TestParseFile(t *testing.T) {
	rules, problems := buildrule.ParseFile([]byte(whole))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := []buildrule.Rule{
		{Name: "release", Tag: "/^v([0-9.]+)$/", Tags: []string{`{\1}`, "latest"}, Dockerfile: "docker/Dockerfile", Context: "docker",
			Autotest: "all", Rebuild: "base", Args: map[string]string{"VERSION": "1.10", "EMPTY": ""}, Target: "final", Platforms: []string{"linux/amd64", "linux/arm/v7"},
			Labels: map[string]string{"org.opencontainers.image.title": "An app"}, Needs: []string{"base"}, Paths: []string{"src/**", "!src/docs"}, Secrets: []string{"NPM_TOKEN"},
			SBOM: true, Network: true, Timeout: "2h", Idle: "10m"},
		{Name: "base", Tag: "v1", Tags: []string{"base"}, Autobuild: true, Cache: true, Submodules: true, LFS: true},
	}
	if !reflect.DeepEqual(rules, want) {
		t.Errorf("%+v\nwant\n%+v", rules, want)
	}
}

// What is written is read back.
func TestWriteFile(t *testing.T) {
	for _, rules := range [][]buildrule.Rule{
		{with(rule("tag", "1.0", "1.10", "true"), func(r *buildrule.Rule) {
			r.Args = map[string]string{"A": "null", "B": " x\n\ty: #\n", "C": "", "D": "2026-11-29", "E": "\r\n\u0085\u2028"}
			r.Paths = []string{"!docs", "*.md", "- a", "yes"}
		})},
		{rule("branch", "/(?i)^'\"/", "latest"), with(named("other", rule("branch", "é", "x")), func(r *buildrule.Rule) { r.Autobuild, r.Cache = false, false })},
	} {
		text := buildrule.WriteFile(rules)
		if back, problems := buildrule.ParseFile(text); len(problems) > 0 || !reflect.DeepEqual(back, rules) {
			t.Errorf("%s\n%v\n%+v", text, problems, back)
		}
	}
	rules, _ := buildrule.ParseFile([]byte(head))
	if text := string(buildrule.WriteFile(rules)); text != "version: 1\nrules:\n  - name: a\n    branch: main\n    tags: [latest]\n" {
		t.Error(text)
	}
	if text := string(buildrule.WriteFile(nil)); text != "version: 1\nrules: []\n" {
		t.Error(text)
	}
}

// samples are files by whether they are taken. What only the reader refuses, such as
// needs in a circle or YAML's own additions to JSON, is marked.
var samples = []struct {
	text       string
	says       string // part of the first error, "" for a sound file
	onlyReader bool
}{
	{whole, "", false},
	{head, "", false},
	{"version: 1\nrules: []\n", "", false},
	{`{"version": 1, "rules": [{"name": "a", "tag": "v", "tags": ["x"]}]}`, "", false},
	{"", "the file is empty", false},
	{"# nothing\n", "the file is empty", false},
	{"rules: []\n", "line 1, column 1: there is no version", false},
	{"version: 1\n", "there are no rules", false},
	{"version: 2\nrules: []\n", "line 1, column 10: the version is not known", false},
	{"version: \"1\"\nrules: []\n", "the version is not known", false},
	{"version: 1\nrules: {}\n", "line 2, column 8: this is no list", false},
	{"version: 1\nrules:\n", "line 2, column 7: this is no list", false},
	{"- a\n", "the file is no mapping", false},
	{"version: 1\nrules: [a]\n", "a rule is no mapping", false},
	{head + "  pull: x\n", `line 6, column 3: "pull" is not known`, false},
	{"on: push\n" + head, `line 1, column 1: "on" is not known`, false},
	{head + "  name: b\n", `line 6, column 3: "name" is there twice: it is in line 3 too`, true},
	{head + "  args: {A: b, A: c}\n", `line 6, column 16: "A" is there twice`, true},
	{head + "  autobuild: yes\n", "neither true nor false", false},
	{head + "  autobuild: \"true\"\n", "neither true nor false", false},
	{head + "  cache:\n", "neither true nor false", false},
	{head + "  target: 1\n", `line 6, column 11: "1" is no text to YAML`, false},
	{head + "  target: null\n", "there is no value", false},
	{head + "  target: \"\"\n", "the text is empty", false},
	{head + "  target: [a]\n", "this is no text", false},
	{head + "  args: {A: 1.10}\n", `write it in quotes: "1.10"`, false},
	{head + "  args: {A: true}\n", `write it in quotes: "true"`, false},
	{head + "  args: [A]\n", "this is no mapping", false},
	{head + "  args: {1: a}\n", "this key is no text", true},
	{head + "  args: {A-B: a}\n", `"A-B" cannot be used`, false},
	{head + "  labels: {\"a b\": c}\n", `"a b" cannot be used`, false},
	{head + "  args: {A: " + strings.Repeat("x", 4097) + "}\n", "the value of A", false},
	{head + "  needs: a\n", "this is no list", false},
	{head + "  needs: [a]\n", "line 6, column 10: rule a: needs: the rules wait for each other", true},
	{head + "  needs: [b]\n", `"b" is no rule`, true},
	{head + "  secrets: [A, A]\n", `"A" is there twice`, false},
	{head + "  secrets: [A=b]\n", `"A=b" cannot be used`, false},
	{head + "  platforms: [arm64]\n", `"arm64" cannot be used`, false},
	{head + "  autotest: on\n", `"on" is not known`, false},
	{head + "  autotest: off\n", "", false},
	{head + "  rebuild: always\n", `"always" is not known`, false},
	{head + "  context: ../x\n", "line 6, column 12: rule a: context", true},
	{head + "  paths: [\"a[\"]\n", "no path filter", true},
	{head + "  paths: [\"\"]\n", "the text is empty", false},
	{head + "  secrets: [" + strings.Repeat("x, ", 51) + "]\n", "the list has 51 entries", false},
	{strings.Replace(head, "[latest]", "[]", 1), "line 5, column 9: rule a: tags: there is none", false},
	{strings.Replace(head, "latest", `"a,b"`, 1), "a template is one tag", false},
	{strings.Replace(head, "latest", `"{x}"`, 1), "stands for nothing", false},
	{strings.Replace(head, "latest", "1.0", 1), `"1.0" is no text to YAML`, false},
	{strings.Replace(head, "latest", "'{\\1}'", 1), "no group", true},
	{strings.Replace(head, "name: a", "name: A", 1), "no name of a rule", false},
	{strings.Replace(head, "- name: a\n ", "-", 1), "the rule has no name", false},
	{strings.Replace(head, "branch", "Branch", 1), `line 4, column 3: "Branch" is not known`, false},
	{strings.Replace(head, "  branch: main\n", "", 1), "it is for no branch and no tag", false},
	{head + "  tag: v1\n", "line 6, column 8: rule a: tag: the rule is for a branch already", false},
	{strings.Replace(head, "main", "/v(?=1)/", 1), "line 4, column 11: rule a: branch: \"/v(?=1)/\" cannot be used at column 3 (byte 2): lookahead", true},
	{strings.Replace(head, "main", "/"+strings.Repeat("a", 202)+"/", 1), "200 bytes", false},
	{strings.Replace(head, "main", "main\n  <<: {target: a}", 1), "is no text", true},
	{"version: 1\nrules:\n" + strings.Repeat("- {}\n", 51), "the list has 51 entries", false},
	{head + "---\n" + head, "a second document begins", true},
	{"a: [", "this is no YAML", true},
	{head + "  target: &t final\n", "line 6, column 11: the anchor &t cannot be used", true},
	{"x: &x a\n" + head + "  target: *x\n", "", true},
	{head + "  target: !!str 1\n", "the tag !!str cannot be used", true},
	{"\x00", "this is no YAML", true},
	{strings.Repeat("[", 20_000), "this is no YAML", true},
	{strings.Repeat("#", buildrule.MaxFileBytes+1), "the file has 65537 bytes", true},
}

func TestFileSamples(t *testing.T) {
	for _, row := range samples {
		rules, problems := buildrule.ParseFile([]byte(row.text))
		if strings.HasPrefix(row.text, "x: &x") {
			row.says = `line 1, column 1: "x" is not known`
		}
		if row.says == "" {
			if len(problems) > 0 || rules == nil && !strings.Contains(row.text, "[]") {
				t.Errorf("%.200s: %v", row.text, problems)
			}
			continue
		}
		errs := problems.Errors()
		if rules != nil || len(errs) == 0 || !strings.Contains(errs[0].Error(), row.says) {
			t.Errorf("%.200s: %v\nwant %s", row.text, problems, row.says)
			continue
		}
		for _, p := range errs {
			if p.Line < 1 || p.LineColumn < 1 {
				t.Errorf("%.200s: no place: %+v", row.text, p)
			}
		}
	}
}

// The aliases of a file are refused before they could grow.
func TestAliasesDoNotGrow(t *testing.T) {
	text := "version: 1\nrules:\n- args: &a {A: " + strings.Repeat("x", 4000) + "}\n"
	for i := range 20 {
		text += fmt.Sprintf("- &b%d [%s]\n", i, strings.Repeat("*a, ", 50))
	}
	rules, problems := buildrule.ParseFile([]byte(text))
	if rules != nil || !strings.Contains(problems.Error(), "the anchor &a cannot be used") {
		t.Error(problems)
	}
	if _, problems = buildrule.ParseFile([]byte(head + "  labels: *x\n")); len(problems) == 0 {
		t.Error("an alias without an anchor was taken")
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(buildfile.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("file.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("file.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON is a file as a reader of YAML sees it that knows nothing of ours.
func asJSON(t *testing.T, text string) (any, bool) {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		return nil, false
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, false
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return doc, true
}

// The schema takes and refuses what the reader does, but for what only the reader knows.
func TestSchemaAgreesWithReader(t *testing.T) {
	s := schema(t)
	agreed := 0
	for _, row := range samples {
		doc, ok := asJSON(t, row.text)
		if !ok {
			if !row.onlyReader {
				t.Errorf("%.200s: no YAML, and not marked as what only the reader refuses", row.text)
			}
			continue
		}
		_, problems := buildrule.ParseFile([]byte(row.text))
		reader, bySchema := len(problems.Errors()) == 0, s.Validate(doc) == nil
		switch {
		case reader && !bySchema:
			t.Errorf("%.200s: the schema refuses what the reader takes: %v", row.text, s.Validate(doc))
		case !row.onlyReader && reader != bySchema:
			t.Errorf("%.200s: the schema takes what the reader refuses: %v", row.text, problems)
		}
		agreed++
	}
	if agreed < 40 {
		t.Errorf("only %d samples were compared", agreed)
	}
}

// The schema has the fields of a Rule, and its limits.
func TestSchemaHasTheRulesFields(t *testing.T) {
	type property struct {
		MaxItems, MaxLength, MaxProperties int
		Default                            any
		Items                              *struct{ MaxLength int }
	}
	var doc struct {
		Properties struct {
			Rules struct {
				MaxItems int
				Items    struct {
					Required   []string
					Properties map[string]property
				}
			}
		}
	}
	if err := json.Unmarshal(buildfile.Schema, &doc); err != nil {
		t.Fatal(err)
	}
	item := doc.Properties.Rules.Items
	if doc.Properties.Rules.MaxItems != buildrule.MaxRules {
		t.Errorf("%d rules", doc.Properties.Rules.MaxItems)
	}
	typ, usual := reflect.TypeFor[buildrule.Rule](), reflect.ValueOf(events.DefaultBuildRule())
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		p, ok := item.Properties[name]
		delete(item.Properties, name)
		switch kind := typ.Field(i).Type.Kind(); {
		case !ok:
			t.Errorf("the schema has no %s", name)
		case kind == reflect.Slice && (p.MaxItems != buildrule.MaxList || p.Items == nil || p.Items.MaxLength == 0),
			kind == reflect.Map && p.MaxProperties != buildrule.MaxList:
			t.Errorf("%s: %+v", name, p)
		case kind == reflect.Bool && p.Default != usual.Field(i).Bool():
			t.Errorf("%s is %v without a value", name, p.Default)
		}
		if want := map[string]int{"name": buildrule.MaxName, "branch": buildrule.MaxSource, "tag": buildrule.MaxSource, "dockerfile": buildrule.MaxPath, "context": buildrule.MaxPath, "readme": buildrule.MaxPath, "target": buildrule.MaxKey}[name]; p.MaxLength != want {
			t.Errorf("%s has %d characters, want %d", name, p.MaxLength, want)
		}
	}
	for name := range item.Properties {
		t.Errorf("a rule has no %s", name)
	}
}

func FuzzParseFile(f *testing.F) {
	for _, row := range samples {
		if len(row.text) < 2000 {
			f.Add(row.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		rules, problems := buildrule.ParseFile([]byte(text))
		if errs := problems.Errors(); (len(errs) > 0) && rules != nil {
			t.Fatalf("rules and errors: %v", errs)
		}
		for _, p := range problems {
			if p.Line < 1 || p.LineColumn < 1 {
				t.Fatalf("no place: %+v", p)
			}
		}
		if len(rules) == 0 {
			return
		}
		if len(buildrule.Validate(rules).Errors()) > 0 {
			t.Fatal("rules that are not valid were taken")
		}
		written := buildrule.WriteFile(rules)
		back, problems := buildrule.ParseFile(written)
		one, _ := json.Marshal(rules)
		if other, _ := json.Marshal(back); !bytes.Equal(one, other) {
			t.Fatalf("%s was written as %s: %v", one, written, problems)
		}
	})
}
