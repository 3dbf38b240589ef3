package buildrule

import "hubledger/events"

// A Verdict is what one rule makes of one ref.
type Verdict = events.RuleVerdict

// A RefusedTag is a template that gave no tag.
type RefusedTag = events.RefusedTag

// Outcomes.
const (
	Build = events.OutcomeBuild
	Test  = events.OutcomeTest
	Skip  = events.OutcomeSkip
)

// A Reason says in one word why a verdict is what it is.
type Reason = string

// Reasons.
const (
	Matched      Reason = "matched"
	PullRequest  Reason = "pull_request"  // tested only, or skipped because the rule does not test it
	AutobuildOff Reason = "autobuild_off" // tested only, or skipped
	KindDiffers  Reason = "kind_differs"
	NameDiffers  Reason = "name_differs"
	PathsDiffer  Reason = "paths_differ"
	TagEmpty     Reason = "tag_empty"
	TagGroup     Reason = "tag_group" // a template names a group that the pattern does not have
	TagInvalid   Reason = "tag_invalid"
	TagTooLong   Reason = "tag_too_long"
	RefInvalid   Reason = "ref_invalid"  // no name that git takes
	RuleInvalid  Reason = "rule_invalid" // Validate has an error for it
	FileInvalid  Reason = "file_invalid" // the file of rules in the commit cannot be used
)
