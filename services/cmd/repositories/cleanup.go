package repositories

import (
	"errors"
	"fmt"
	"strings"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Cleanup are the commands on cleanup rules.
type Cleanup struct {
	Show    cleanupShowCmd    `cmd:"" help:"Show the cleanup rule of a repository."`
	Set     cleanupSetCmd     `cmd:"" help:"Replace the cleanup rule; options that are not given are 0. --none removes the rule."`
	Preview cleanupPreviewCmd `cmd:"" help:"Show what the rule, or one given by options, would delete, how much space that frees, and when."`
	Run     cleanupRunCmd     `cmd:"" help:"Apply the rule now."`
}

// cleanupFlags are the options of a rule.
type cleanupFlags struct {
	KeepLast      int      `help:"Keep this many of the most recently pushed tags." placeholder:"N"`
	KeepTags      []string `help:"Keep tags that match this pattern (RE2, the whole tag); may be repeated." sep:"none" placeholder:"PATTERN"`
	NotPulledDays int      `help:"Delete a tag after this many days without a pull or a push." placeholder:"DAYS"`
	UntaggedDays  int      `help:"Delete a manifest this many days after nothing needs it any more." placeholder:"DAYS"`
}

// rule is the rule as the API takes it: complete, and without null.
func (f *cleanupFlags) rule() apitypes.CleanupRule {
	return apitypes.CleanupRule{KeepLast: f.KeepLast, KeepTags: append([]string{}, f.KeepTags...), NotPulledDays: f.NotPulledDays, UntaggedDays: f.UntaggedDays}
}

// given says whether any option of the rule was given.
func (f *cleanupFlags) given() bool { return f.rule().Deletes() || len(f.KeepTags) > 0 }

func ruleFacts(r apitypes.CleanupRule) [][]string {
	if !r.Deletes() {
		return [][]string{{"rule", "none: nothing is deleted automatically"}}
	}
	days := func(n int, text string) string { return console.If(n != 0, fmt.Sprintf(text, n)) }
	return [][]string{{"tags deleted", strings.TrimSpace(days(r.NotPulledDays, "after %d days without a pull or a push") + console.If(r.NotPulledDays == 0 && r.KeepLast == 0, "never") +
		console.If(r.NotPulledDays == 0 && r.KeepLast != 0, "all that are not kept"))},
		{"tags kept", strings.Join(append(nonEmpty(days(r.KeepLast, "the last %d")), r.KeepTags...), ", ")},
		{"manifests", days(r.UntaggedDays, "deleted %d days after nothing needs them")}}
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

type cleanupShowCmd struct{ named }

func (c *cleanupShowCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Show(a, c.path()+"/cleanup", ruleFacts)
}

type cleanupSetCmd struct {
	named
	cleanupFlags
	None bool `help:"Remove the rule."`
}

// Validate is called by kong.
func (c *cleanupSetCmd) Validate() error {
	switch {
	case c.None && c.given():
		return errors.New("--none removes the rule: give either --none or options of a rule")
	case !c.None && !c.rule().Deletes():
		return errors.New("say what to delete with --keep-last, --not-pulled-days or --untagged-days, or remove the rule with --none")
	}
	return nil
}

func (c *cleanupSetCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	message := "Set the cleanup rule of " + c.Name + "; `hubledger cleanup preview " + c.Name + "` shows what it does"
	if c.None {
		message = "Removed the cleanup rule of " + c.Name
	}
	return a.Change("PUT", c.path()+"/cleanup", c.rule(), message)
}

type cleanupRunCmd struct{ named }

func (c *cleanupRunCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Send(a, "POST", c.path()+"/cleanup/run", nil, func(ran apitypes.CleanupRun) error {
		_, err := fmt.Fprintf(s.Out, "Deleted %d tags and %d manifests of %s; `hubledger repos undelete` brings each back.\n", ran.Tags, ran.Manifests, c.Name)
		return err
	})
}

type cleanupPreviewCmd struct {
	named
	cleanupFlags
}

func (c *cleanupPreviewCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	var body any // nil previews the repository's own rule
	if c.given() {
		body = c.rule()
	}
	return console.Send(a, "POST", c.path()+"/cleanup/preview", body, func(p apitypes.CleanupPreview) error { return printPreview(s, p) })
}

func printPreview(s *console.Session, p apitypes.CleanupPreview) error {
	if len(p.Tags)+len(p.Manifests)+len(p.Later) == 0 {
		_, err := fmt.Fprintln(s.Out, "Nothing would be deleted.")
		return err
	}
	var rows [][]string
	for _, t := range p.Tags {
		rows = append(rows, []string{"now", t.Name, t.Digest.String(), console.Time(&t.Pushed), console.Time(t.Pulled)})
	}
	for _, m := range p.Manifests {
		rows = append(rows, []string{"now", "", m.Digest.String(), console.Time(&m.Pushed), ""})
	}
	for _, m := range p.Later {
		rows = append(rows, []string{"later", "", m.Digest.String(), console.Time(&m.Pushed), ""})
	}
	if err := s.Table([]string{"DELETED", "TAG", "DIGEST", "PUSHED", "PULLED"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\nFrees %s in %d blobs at %s", console.Size(p.Now.Bytes), p.Now.Blobs, console.Time(&p.Now.At))
	if len(p.Later) > 0 {
		fmt.Fprintf(s.Out, "; with what is deleted later, frees %s in %d blobs at %s", console.Size(p.Then.Bytes), p.Then.Blobs, console.Time(&p.Then.At))
	}
	_, err := fmt.Fprintln(s.Out, ".")
	return err
}
