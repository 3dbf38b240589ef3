package rules

import (
	"fmt"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
)

type pushesCmd struct{ named }

func (c *pushesCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	if !s.JSON {
		waiting, err := console.Get[apitypes.WaitingPushes](a, client.RepositoryPath(c.Name)+"/waiting-pushes")
		if err != nil {
			return err
		}
		for _, w := range waiting.Pushes {
			fmt.Fprintf(s.Err, "%s at %.12s waits: %s\n", refOf(w.Ref, w.PullRequest), w.Commit, w.Why)
		}
	}
	return console.List(a, client.RepositoryPath(c.Name)+"/pushes", client.Paged(), "No branch or git tag has moved since "+c.Name+" has build rules.",
		[]string{"REF", "COMMIT", "EVALUATED", "EVENT", "RULES", "RESULT"}, func(p apitypes.Push) []string {
			return []string{refOf(p.Ref, p.PullRequest), p.Commit[:min(len(p.Commit), 12)], console.Time(&p.Evaluated), fmt.Sprint(p.Seq), rulesOf(p), result(p)}
		})
}

// refOf names a branch, a tag or a pull request.
func refOf(ref string, p *apitypes.PullRequest) string {
	if p == nil {
		return ref
	}
	return fmt.Sprintf("pull request %d", p.Number) + console.If(p.From == "fork", " of a fork")
}

// rulesOf says which rules counted.
func rulesOf(p apitypes.Push) string {
	if p.File == nil {
		return "as set"
	}
	return buildrule.FileName + console.If(p.File.Digest != "", " "+short(p.File.Digest))
}

func short(digest string) string {
	_, hex, _ := strings.Cut(digest, ":")
	return hex[:min(len(hex), 12)]
}

func result(p apitypes.Push) string {
	text := p.Summary
	if p.File != nil && p.File.Problem != "" {
		text += ": " + p.File.Problem
	}
	for _, v := range p.Verdicts {
		if v.Outcome == buildrule.Skip && tells(v.Reason) {
			text += fmt.Sprintf("; %s: %s", v.Rule, v.Detail)
		}
		for _, t := range v.Refused {
			if v.Outcome != buildrule.Skip {
				text += fmt.Sprintf("; %s: not %s: %s", v.Rule, t.Template, t.Detail)
			}
		}
	}
	if p.Unqueued > 0 {
		text += fmt.Sprintf(" (not queued yet, because too many builds of the namespace are waiting: %d)", p.Unqueued)
	}
	return text
}

// tells says whether the reason why a rule was skipped is more than that the rule is for
// other refs. Why a file cannot be used is told in any case.
func tells(reason buildrule.Reason) bool {
	switch reason {
	case buildrule.KindDiffers, buildrule.NameDiffers, buildrule.FileInvalid:
		return false
	}
	return true
}
