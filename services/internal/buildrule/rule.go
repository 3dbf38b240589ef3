// Package buildrule decides which refs of a git repository become which tags of
// an image: a set of rules and a ref give a verdict for every rule, without I/O. Save
// appends what was decided about a set.
// The rules mean what Docker Hub's automated builds made of them, with additions.
package buildrule

import (
	"regexp"
	"time"

	"hubledger/events"
	"hubledger/services/internal/repository"
)

// A Rule is one rule as the log keeps it. Begin with events.DefaultBuildRule: its
// zero value has Autobuild and Cache off.
type Rule = events.BuildRule

// Kinds of refs.
const (
	Branch = events.RefBranch
	Tag    = events.RefTag
)

// Modes of Rebuild.
const (
	RebuildOff  = "off"  // the default
	RebuildBase = "base" // when an image of the hub that it was made from changes
)

// Modes of Autotest, as on Docker Hub. A test never pushes.
const (
	AutotestOff = "off" // the default
	AutotestOwn = "own" // pull requests from the same repository, and pushes when Autobuild is off
	AutotestAll = "all" // pull requests from forks as well; they get no secrets and no build args
)

// Limits of a set of rules. Lengths are bytes.
const (
	MaxRules     = 50
	MaxList      = 50 // entries of each list or map of a rule
	MaxName      = 64
	MaxSource    = repository.MaxPatternLength + 2 // of branch or tag, with the slashes around a pattern
	MaxTemplate  = 256
	MaxPath      = 256
	MaxValue     = 4096 // of a build arg or a label
	MaxKey       = 128  // of a build arg, label, target, platform or secret's name
	MaxFileBytes = 64 << 10
	MaxTextBytes = MaxFileBytes // of all texts of a set together
	MaxTemplates = 200          // tags of all rules of a set together: each evaluation is an event with what they give
)

// MaxTime is the longest that a rule may let its builds run.
const MaxTime = 4 * time.Hour

// timeSyntax is that of a rule's Timeout and Idle.
var timeSyntax = regexp.MustCompile(`^[1-9][0-9]{0,2}[mh]$`)

// Limits are how long a build by a rule may run, and how long nothing may happen in
// it; 0 for what the rule does not say.
func Limits(r Rule) (timeout, idle time.Duration) { return duration(r.Timeout), duration(r.Idle) }

// duration is 0 for a text that is none.
func duration(text string) time.Duration {
	if !timeSyntax.MatchString(text) {
		return 0
	}
	d, _ := time.ParseDuration(text) // of that syntax
	return d
}

// sourceOf is the kind of refs that a rule is for, and their name or pattern. A rule
// that names both kinds or none has problems.
func sourceOf(r Rule) (kind, source string) {
	if r.Branch != "" {
		return Branch, r.Branch
	}
	return Tag, r.Tag
}

// textBytes is how long all texts of a rule are together.
func textBytes(r Rule) int {
	n := len(r.Name) + len(r.Branch) + len(r.Tag) + len(r.Dockerfile) + len(r.Context) + len(r.Autotest) + len(r.Rebuild) + len(r.Readme) + len(r.Target) + len(r.Timeout) + len(r.Idle)
	for _, list := range [][]string{r.Tags, r.Platforms, r.Needs, r.Paths, r.Secrets} {
		for _, s := range list {
			n += len(s)
		}
	}
	for _, table := range []map[string]string{r.Args, r.Labels} {
		for k, v := range table {
			n += len(k) + len(v)
		}
	}
	return n
}
