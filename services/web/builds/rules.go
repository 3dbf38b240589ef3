package builds

import (
	"fmt"
	"net/http"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type rulesPage struct {
	Repository apitypes.RepositoryDetails
	Rules      apitypes.Rules
	Text       string // of the rules, as .hubledger.yml has them
	Source     string // address of the page of their git source
	Sources    []string
}

// tried is what a form of the page has made, without changing anything.
type tried struct {
	Simulation *buildrule.Simulation
	Text       string // of rules that were imported
	Notes      []buildrule.Note
	Problems   buildrule.Problems // warnings
}

func rulesPath(v *frame.Visit, more ...string) string {
	return frame.Path(append([]string{"repositories", v.Repo(), "rules"}, more...)...)
}

func showRules(v *frame.Visit) (any, error) {
	p := rulesPage{}
	var err error
	if p.Repository, err = frame.Repository(v); err != nil {
		return nil, err
	}
	if p.Rules, err = frame.Get[apitypes.Rules](v, rulesPath(v), nil); err != nil {
		return nil, err
	}
	if len(p.Rules.Rules) > 0 {
		p.Text = string(buildrule.WriteFile(p.Rules.Rules))
	}
	p.Source, p.Sources = sourcePage(v, p.Rules.Source), sourcesFor(v, p.Rules.Source)
	return p, nil
}

// sourcesFor are the git sources to choose from: those of the namespace that the visitor
// may see, and the one that the rules have.
func sourcesFor(v *frame.Visit, now string) (names []string) {
	list, err := frame.Get[apitypes.List[apitypes.Source]](v, frame.Path("namespaces", v.Path("namespace"), "sources"), map[string][]string{"limit": {"100"}})
	if err != nil && now != "" {
		return []string{now}
	}
	found := false
	for _, s := range list.Items {
		names, found = append(names, s.Name), found || s.Name == now
	}
	if now != "" && !found {
		names = append(names, now)
	}
	return names
}

// rulesOf are the rules that were sent as text: a file of rules, or nothing for none.
func rulesOf(v *frame.Visit) ([]events.BuildRule, buildrule.Problems, error) {
	text := strings.ReplaceAll(v.Sent.Get("rules"), "\r\n", "\n") // as forms send line breaks
	if strings.TrimSpace(text) == "" {
		return []events.BuildRule{}, nil, nil
	}
	rules, problems := buildrule.ParseFile([]byte(text))
	if errs := problems.Errors(); len(errs) > 0 {
		p := endpoint.Fail(http.StatusUnprocessableEntity, "the rules have errors: nothing was changed")
		for _, e := range errs {
			p.At("body.rules", e.Error())
		}
		return nil, nil, p
	}
	return rules, problems, nil
}

func saveRules(v *frame.Visit) (string, error) {
	rules, _, err := rulesOf(v)
	if err != nil {
		return "", err
	}
	want := apitypes.SetRulesRequest{Source: v.Sent.Get("source"), Rules: rules, FromFile: v.Sent.Get("fromFile") != "", Seq: v.SeenSeq()}
	if len(rules) == 0 && !want.FromFile {
		return "", endpoint.Invalid("body.rules", "write at least one rule, or take those of .hubledger.yml; to end the automated builds, use the link below")
	}
	seq, err := v.Send(http.MethodPut, rulesPath(v), want, nil)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s/-/rules?done=%d", frame.RepoPage(v.Repo()), seq), nil
}

// simulateRules tries the rules of the text area: of a ref that is named, or else of
// those of the source.
func simulateRules(v *frame.Visit) (string, error) {
	rules, problems, err := rulesOf(v)
	if err != nil {
		return "", err
	}
	want := apitypes.SimulateRulesRequest{Rules: &rules, Source: v.Sent.Get("source"), PullRequest: v.Sent.Get("pullRequest")}
	for _, ref := range strings.Fields(v.Sent.Get("refs")) {
		if !strings.HasPrefix(ref, "refs/") {
			ref = map[bool]string{true: "refs/tags/", false: "refs/heads/"}[v.Sent.Get("kind") == "tag"] + ref
		}
		want.Refs = append(want.Refs, ref)
	}
	for path := range strings.Lines(v.Sent.Get("changed")) {
		if path = strings.TrimSpace(path); path != "" {
			want.Changed = append(want.Changed, path)
		}
	}
	made := tried{Problems: problems.Warnings(), Simulation: &buildrule.Simulation{}}
	if _, err := v.Send(http.MethodPost, rulesPath(v, "simulate"), want, made.Simulation); err != nil {
		return "", err
	}
	if shown := 100; len(made.Simulation.Refs) > shown {
		made.Simulation.LeftOut += len(made.Simulation.Refs) - shown
		made.Simulation.Refs = made.Simulation.Refs[:shown]
	}
	v.Made = made
	return "", nil
}

// importRules puts the rules of a paste from Docker Hub into the text area.
func importRules(v *frame.Visit) (string, error) {
	rules, notes := buildrule.ImportTable(strings.ReplaceAll(v.Sent.Get("paste"), "\r\n", "\n"))
	if len(rules) == 0 {
		p := endpoint.Invalid("body.paste", "no build rules were found: paste lines such as Branch, main, latest, Dockerfile, /, on, on with tabs or several spaces between, or each in a line of its own")
		for _, n := range notes {
			p.At("body.paste", fmt.Sprintf("line %d: %s", n.Line, n.Text))
		}
		return "", p
	}
	text := string(buildrule.WriteFile(rules))
	v.Sent.Set("rules", text)
	v.Made = tried{Text: text, Notes: notes, Problems: buildrule.Validate(rules)}
	return "", nil
}

func showEnd(v *frame.Visit) (any, error) {
	return frame.Get[apitypes.Rules](v, rulesPath(v), nil)
}

func endRules(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodPut, rulesPath(v), apitypes.SetRulesRequest{Rules: []events.BuildRule{}}, nil)
	return fmt.Sprintf("%s/-/rules?done=%d", frame.RepoPage(v.Repo()), seq), err
}
