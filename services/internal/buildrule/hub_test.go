package buildrule_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"hubledger/services/internal/buildrule"
)

// lines are notes as "line: text", those of lost lines marked with !.
func lines(notes []buildrule.Note) string {
	var out []string
	for _, n := range notes {
		mark := ""
		if n.Lost {
			mark = "!"
		}
		out = append(out, fmt.Sprintf("%d%s: %s", n.Line, mark, n.Text))
	}
	return strings.Join(out, "\n")
}

func TestImportTable(t *testing.T) {
	const heading = "Source Type\tSource\tDocker Tag\tDockerfile location\tBuild Context\tAutobuild\tBuild Caching\n"
	for what, row := range map[string]struct {
		paste string
		rule  string // of the last rule, as JSON without its name
		notes string // parts of notes, one a line
	}{
		"whole row":             {heading + "Branch\tmaster\tlatest\tDockerfile\t/\ton\toff\n", `{"branch":"master","tags":["latest"],"autobuild":true,"cache":false}`, ""},
		"no heading":            {"Tag\t/^v([0-9.]+)$/\t{\\1}\tDockerfile\t/\toff\ton", `{"tag":"/^v([0-9.]+)$/","tags":["{\\1}"],"autobuild":false,"cache":true}`, ""},
		"spaces":                {"Branch   dev   edge   docker/Dockerfile   /   on   on", `{"branch":"dev","tags":["edge"],"dockerfile":"docker/Dockerfile","autobuild":true,"cache":true}`, ""},
		"comma list":            {"Branch\tmain\tlatest, edge,main\tDockerfile\t/\ton\ton", `{"branch":"main","tags":["latest","edge","main"],"autobuild":true,"cache":true}`, ""},
		"blank context":         {"Branch\tmain\tx\tapp/Dockerfile\t\ton\ton", `{"branch":"main","tags":["x"],"context":"app","autobuild":true,"cache":true}`, "1: the build context is blank: it is app"},
		"Dockerfile in context": {"Branch\tmain\tx\tapp.Dockerfile\t/app\ton\ton", `{"branch":"main","tags":["x"],"dockerfile":"app.Dockerfile","context":"/app","autobuild":true,"cache":true}`, ""},
		"blank, other name":     {"Branch\tmain\tx\tapp/alpine.Dockerfile\t\ton\ton", `{"branch":"main","tags":["x"],"dockerfile":"alpine.Dockerfile","context":"app","autobuild":true,"cache":true}`, "1: the build context is blank: it is app, the directory of the Dockerfile"},
		"blank, in the root":    {"Branch\tmain\tx\t/Dockerfile\t\ton\ton", `{"branch":"main","tags":["x"],"autobuild":true,"cache":true}`, ""},
		"blank, file or not":    {"Branch\tmain\tx\tdocker/web\t\ton\ton", `{"branch":"main","tags":["x"],"context":"docker/web","autobuild":true,"cache":true}`, "1: the build context is blank: it is docker/web, or its directory if that is a Dockerfile"},
		"Dockerfile is root":    {"Branch\tmain\tx\t/\t/\ton\ton", `{"branch":"main","tags":["x"],"autobuild":true,"cache":true}`, ""},
		"unslashed pattern":     {"Tag\t^v[0-9.]+$\t{sourceref}\tDockerfile\t/\ton\ton", `{"tag":"/^v[0-9.]+$/","tags":["{sourceref}"],"autobuild":true,"cache":true}`, `1: "^v[0-9.]+$" was taken for a pattern`},
		"a name with a plus":    {"Tag\tv1+b\tx\tDockerfile\t/\ton\ton", `{"tag":"v1+b","tags":["x"],"autobuild":true,"cache":true}`, `1: "v1+b" was taken for a name`},
		"switches not copied":   {"Branch\tmain\tx\tDockerfile\t/", `{"branch":"main","tags":["x"],"autobuild":true,"cache":true}`, "1: autobuild is not in the paste\n1: build caching is not in the paste"},
		"unknown switch":        {"Branch\tmain\tx\tDockerfile\t/\tmaybe\ton", `{"branch":"main","tags":["x"],"autobuild":true,"cache":true}`, `1: autobuild is "maybe"`},
		"columns in any order":  {"Docker Tag\tSource\tSource Type\nlatest\tmain\tbranch", `{"branch":"main","tags":["latest"],"autobuild":true,"cache":true}`, "2: autobuild\n2: build caching"},
		"another column":        {"Source Type\tSource\tNote\tDocker Tag\nBranch\tmain\thi\tx", `{"branch":"main","tags":["x"],"autobuild":true,"cache":true}`, "2: column 3, \"hi\"\n2: autobuild\n2: build caching"},
		"too few columns":       {"Branch  main  x", `{"branch":"main","tags":["x"],"autobuild":true,"cache":true}`, "1: autobuild\n1: build caching\n1: there are 3 of 7 columns"},
		"a cell a line":         {"Source Type\nSource\nDocker Tag\n\nBranch\r\nmain\r\nlatest\r\nDockerfile\r\n/\r\noff\r\non\r\n", `{"branch":"main","tags":["latest"],"autobuild":false,"cache":true}`, ""},
		"a cell a line, fewer":  {"Tag\n/^v/\n{sourceref}\nDockerfile\n/", `{"tag":"/^v/","tags":["{sourceref}"],"autobuild":true,"cache":true}`, "1: autobuild\n1: build caching\n1: there are 5 of 7 columns"},
		"no rule":               {"\n\nBuild rules\nBranch\t\tx\nBranch\tmain\t\n\xff", "", `3!: "Build rules" is no source type` + "\n4!: there is no source\n5!: there is no docker tag\n6!: the line is not UTF-8"},
	} {
		rules, notes := buildrule.ImportTable(row.paste)
		have := lines(notes)
		if row.notes == "" && have != "" || len(notes) != len(strings.Fields(strings.ReplaceAll(row.notes, " ", "_"))) {
			t.Errorf("%s: notes\n%s", what, have)
		}
		for _, want := range strings.Split(row.notes, "\n") {
			if !strings.Contains(have, want) {
				t.Errorf("%s: notes\n%s\nwant %s", what, have, want)
			}
		}
		if row.rule == "" {
			if len(rules) > 0 {
				t.Errorf("%s: %+v", what, rules)
			}
			continue
		}
		if len(rules) != 1 || rules[0].Name != "rule-1" {
			t.Errorf("%s: %+v", what, rules)
			continue
		}
		text, err := json.Marshal(rules[0])
		if err != nil {
			t.Fatal(err)
		}
		if !rules[0].Submodules || !rules[0].LFS {
			t.Errorf("%s: not all is fetched: %s", what, text)
		}
		if got := strings.Replace(string(text), `"name":"rule-1",`, "", 1); got != row.rule {
			t.Errorf("%s: %s\nwant %s", what, got, row.rule)
		}
		if p := buildrule.Validate(rules); len(p) > 0 {
			t.Errorf("%s: %v", what, p)
		}
	}
}

// Rules whose cells are in lines of their own are told apart by their source types.
func TestImportStackedTable(t *testing.T) {
	rules, notes := buildrule.ImportTable("My rules\nBranch\nmain\nlatest\nDockerfile\n/\non\non\nextra\nTag\nv1\nx,y\nDockerfile\n/app\noff\noff\nBranch\nalone\n")
	if len(rules) != 2 || rules[0].Branch != "main" || rules[1].Tag != "v1" || len(rules[1].Tags) != 2 || rules[1].Context != "/app" || rules[1].Cache || rules[1].Autobuild {
		t.Errorf("%+v", rules)
	}
	if got := lines(notes); got != `1!: "My rules" stands before the first rule: a rule begins with Branch or Tag
2: column 8, "extra", is none of the table and was left out
17!: there is no docker tag` {
		t.Error(got)
	}
}

func TestImportTableIsBounded(t *testing.T) {
	rules, notes := buildrule.ImportTable(strings.Repeat("Branch\tmain\tx\tDockerfile\t/\ton\ton\n", buildrule.MaxRules+2))
	if len(rules) != buildrule.MaxRules || len(notes) != 2 || !notes[0].Lost || notes[1].Line != buildrule.MaxRules+2 {
		t.Errorf("%d rules, %s", len(rules), lines(notes))
	}
	rules, notes = buildrule.ImportTable(strings.Repeat("x", buildrule.MaxFileBytes+1))
	if len(rules) != 0 || len(notes) != 1 || !notes[0].Lost {
		t.Errorf("%d rules, %s", len(rules), lines(notes))
	}
}

func FuzzImportTable(f *testing.F) {
	f.Add("Source Type\tSource\tDocker Tag\nBranch\tmain\tlatest\n")
	f.Add("type\nTag  /v(/  a,b,,  ../x  \t \r\n")
	f.Add("branch\t^\t{\\9}\t/\t\toff\tno")
	f.Add("Source\ntag\nv1\n{sourceref}\n\xff\nBranch\n")
	f.Fuzz(func(t *testing.T, paste string) {
		rules, notes := buildrule.ImportTable(paste)
		if len(rules) > buildrule.MaxRules {
			t.Errorf("%d rules", len(rules))
		}
		for _, n := range notes {
			if n.Line < 1 || n.Line > strings.Count(paste, "\n")+1 || n.Text == "" {
				t.Errorf("%+v", n)
			}
		}
		buildrule.Validate(rules)
	})
}

func TestImportCheckout(t *testing.T) {
	rules := []buildrule.Rule{
		named("root", rule("branch", "main", "x")),
		with(named("app", rule("branch", "main", "y")), func(r *buildrule.Rule) { r.Dockerfile = "app/Dockerfile" }),
		with(named("gone", rule("branch", "main", "z")), func(r *buildrule.Rule) { r.Dockerfile = "gone/Dockerfile" }),
	}
	extras, strays := buildrule.ImportCheckout(rules, []string{
		"Dockerfile", "hooks/post_push", "hooks/build", "hooks/README", "docker-compose.test.yml", "b-test.yml", "test.yml", "x.test.yaml",
		"app/Dockerfile", "app/hooks/pre_build", "app/sut.tests.yml", "other/hooks/push", "other/a.test.yml", "../hooks/test", "other/hooks/notes",
	})
	text, err := json.Marshal(extras)
	if err != nil {
		t.Fatal(err)
	}
	const known = "hooks are named post_checkout, pre_build, build, post_build, pre_test, test, post_test, pre_push, push, post_push"
	const want = `[{"rule":"root","hooks":["hooks/build","hooks/post_push"],"tests":["b-test.yml","docker-compose.test.yml"],"notes":["x.test.yaml is no autotest: its name would end with .test.yml or -test.yml","hooks/README is not run: ` + known + `"]},` +
		`{"rule":"app","hooks":["app/hooks/pre_build"],"notes":["app/sut.tests.yml is no autotest: its name would end with .test.yml or -test.yml"]},` +
		`{"rule":"gone","notes":["the checkout has no gone/Dockerfile"]}]`
	if string(text) != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
	if got := strings.Join(strays, "; "); got != "other/a.test.yml is not used: it is not beside the Dockerfile of a rule; other/hooks/push is not used: it is not beside the Dockerfile of a rule" {
		t.Error(got)
	}
}
