package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"hubledger/services/internal/apitypes"
)

type cleanupCmd struct {
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
	days := func(n int, text string) string { return yes(n != 0, fmt.Sprintf(text, n)) }
	return [][]string{{"tags deleted", strings.TrimSpace(days(r.NotPulledDays, "after %d days without a pull or a push") + yes(r.NotPulledDays == 0 && r.KeepLast == 0, "never") +
		yes(r.NotPulledDays == 0 && r.KeepLast != 0, "all that are not kept"))},
		{"tags kept", join(append(nonEmpty(days(r.KeepLast, "the last %d")), r.KeepTags...))},
		{"manifests", days(r.UntaggedDays, "deleted %d days after nothing needs them")}}
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

type cleanupShowCmd struct{ named }

func (c *cleanupShowCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return show(a, c.path()+"/cleanup", nil, ruleFacts)
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

func (c *cleanupSetCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	message := "Set the cleanup rule of " + c.Name + "; `cleanup preview " + c.Name + "` shows what it does"
	if c.None {
		message = "Removed the cleanup rule of " + c.Name
	}
	return a.change("PUT", c.path()+"/cleanup", c.rule(), message)
}

type cleanupRunCmd struct{ named }

func (c *cleanupRunCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	raw, err := a.do("POST", c.path()+"/cleanup/run", nil, nil)
	if err != nil || s.json {
		return s.rawOr(raw, err)
	}
	var ran apitypes.CleanupRun
	if err := json.Unmarshal(raw, &ran); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	_, err = fmt.Fprintf(s.out, "Deleted %d tags and %d manifests of %s; `repos undelete` brings each back.\n", ran.Tags, ran.Manifests, c.Name)
	return err
}

type cleanupPreviewCmd struct {
	named
	cleanupFlags
}

func (c *cleanupPreviewCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	var body any // nil previews the repository's own rule
	if c.given() {
		body = c.rule()
	}
	raw, err := a.do("POST", c.path()+"/cleanup/preview", nil, body)
	if err != nil || s.json {
		return s.rawOr(raw, err)
	}
	var p apitypes.CleanupPreview
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	return s.printPreview(p)
}

func (s *session) printPreview(p apitypes.CleanupPreview) error {
	if len(p.Tags)+len(p.Manifests)+len(p.Later) == 0 {
		_, err := fmt.Fprintln(s.out, "Nothing would be deleted.")
		return err
	}
	var rows [][]string
	for _, t := range p.Tags {
		rows = append(rows, []string{"now", t.Name, t.Digest.String(), at(&t.Pushed), at(t.Pulled)})
	}
	for _, m := range p.Manifests {
		rows = append(rows, []string{"now", "", m.Digest.String(), at(&m.Pushed), ""})
	}
	for _, m := range p.Later {
		rows = append(rows, []string{"later", "", m.Digest.String(), at(&m.Pushed), ""})
	}
	if err := s.table([]string{"DELETED", "TAG", "DIGEST", "PUSHED", "PULLED"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nFrees %s in %d blobs at %s", size(p.Now.Bytes), p.Now.Blobs, at(&p.Now.At))
	if len(p.Later) > 0 {
		fmt.Fprintf(s.out, "; with what is deleted later, frees %s in %d blobs at %s", size(p.Then.Bytes), p.Then.Blobs, at(&p.Then.At))
	}
	_, err := fmt.Fprintln(s.out, ".")
	return err
}
