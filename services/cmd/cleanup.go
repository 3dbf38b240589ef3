package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

type cleanupCmd struct {
	Show    cleanupShowCmd    `cmd:"" help:"Show the cleanup rule of a repository."`
	Set     cleanupSetCmd     `cmd:"" help:"Replace the cleanup rule; options that are not given are 0. --none removes the rule."`
	Preview cleanupPreviewCmd `cmd:"" help:"Show what the rule, or one given by options, would delete, how much space that frees, and when."`
	Run     cleanupRunCmd     `cmd:"" help:"Apply the rule now."`
}

// A cleanupRule says what is deleted from a repository automatically.
type cleanupRule struct {
	KeepLast      int      `help:"Keep this many of the most recently pushed tags." placeholder:"N" json:"keepLast"`
	KeepTags      []string `help:"Keep tags that match this pattern (RE2, the whole tag); may be repeated." sep:"none" placeholder:"PATTERN" json:"keepTags"`
	NotPulledDays int      `help:"Delete a tag after this many days without a pull or a push." placeholder:"DAYS" json:"notPulledDays"`
	UntaggedDays  int      `help:"Delete a manifest this many days after nothing needs it any more." placeholder:"DAYS" json:"untaggedDays"`
}

// deletes says whether the rule deletes anything: patterns of tags to keep are
// no rule by themselves.
func (r *cleanupRule) deletes() bool {
	return r.KeepLast != 0 || r.NotPulledDays != 0 || r.UntaggedDays != 0
}

// given says whether any option of the rule was given.
func (r *cleanupRule) given() bool { return r.deletes() || len(r.KeepTags) > 0 }

// complete is the rule as the API takes it: without null.
func (r cleanupRule) complete() cleanupRule {
	if r.KeepTags == nil {
		r.KeepTags = []string{}
	}
	return r
}

func (r cleanupRule) facts() [][]string {
	if !r.deletes() {
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
	return show(a, c.path()+"/cleanup", nil, cleanupRule.facts)
}

type cleanupSetCmd struct {
	named
	cleanupRule
	None bool `help:"Remove the rule."`
}

// Validate is called by kong.
func (c *cleanupSetCmd) Validate() error {
	switch {
	case c.None && c.given():
		return errors.New("--none removes the rule: give either --none or options of a rule")
	case !c.None && !c.deletes():
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
	return a.change("PUT", c.path()+"/cleanup", c.complete(), message)
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
	var ran struct{ Tags, Manifests int }
	if err := json.Unmarshal(raw, &ran); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	_, err = fmt.Fprintf(s.out, "Deleted %d tags and %d manifests of %s; `repos undelete` brings each back.\n", ran.Tags, ran.Manifests, c.Name)
	return err
}

type cleanupPreviewCmd struct {
	named
	cleanupRule
}

// A cleanupPreview is what a rule would do.
type cleanupPreview struct {
	Tags []struct {
		Name, Digest string
		Pushed       *time.Time
		Pulled       *time.Time
	}
	Manifests, Later []struct {
		Digest string
		Pushed *time.Time
	}
	Now, Then struct {
		Blobs int
		Bytes int64
		At    *time.Time
	}
}

func (c *cleanupPreviewCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	var body any // nil previews the repository's own rule
	if c.given() {
		body = c.complete()
	}
	raw, err := a.do("POST", c.path()+"/cleanup/preview", nil, body)
	if err != nil || s.json {
		return s.rawOr(raw, err)
	}
	var p cleanupPreview
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	return p.print(s)
}

func (p *cleanupPreview) print(s *session) error {
	if len(p.Tags)+len(p.Manifests)+len(p.Later) == 0 {
		_, err := fmt.Fprintln(s.out, "Nothing would be deleted.")
		return err
	}
	var rows [][]string
	for _, t := range p.Tags {
		rows = append(rows, []string{"now", t.Name, t.Digest, at(t.Pushed), at(t.Pulled)})
	}
	for _, m := range p.Manifests {
		rows = append(rows, []string{"now", "", m.Digest, at(m.Pushed), ""})
	}
	for _, m := range p.Later {
		rows = append(rows, []string{"later", "", m.Digest, at(m.Pushed), ""})
	}
	if err := s.table([]string{"DELETED", "TAG", "DIGEST", "PUSHED", "PULLED"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nFrees %s in %d blobs at %s", size(p.Now.Bytes), p.Now.Blobs, at(p.Now.At))
	if len(p.Later) > 0 {
		fmt.Fprintf(s.out, "; with what is deleted later, frees %s in %d blobs at %s", size(p.Then.Bytes), p.Then.Blobs, at(p.Then.At))
	}
	_, err := fmt.Fprintln(s.out, ".")
	return err
}
