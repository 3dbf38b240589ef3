package buildrule

// An Outcome is what a rule makes of a ref.
type Outcome string

// Outcomes.
const (
	Build Outcome = "build" // built, tested if wanted, pushed with the tags
	Test  Outcome = "test"  // built and tested, never pushed
	Skip  Outcome = "skip"
)

// A Reason says in one word why a verdict is what it is.
type Reason string

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
)

// A Verdict is what one rule makes of one ref.
type Verdict struct {
	Rule    string  `json:"rule" doc:"Name of the rule"`
	Outcome Outcome `json:"outcome" enum:"build,test,skip" doc:"Built and pushed, only built and tested, or nothing"`
	Reason  Reason  `json:"reason" doc:"Why, in one word"`
	Detail  string  `json:"detail" doc:"Why, for people: the end of a sentence that begins with because"`
	// Tags are without repetition, in the order of the templates. A build has at
	// least one, anything else none.
	Tags []string `json:"tags,omitempty" nullable:"false" doc:"Tags that a build is pushed as"`
	// Refused: when other templates gave a tag, it is built.
	Refused   []RefusedTag `json:"refused,omitempty" nullable:"false" doc:"Templates that gave no tag"`
	Untrusted bool         `json:"untrusted,omitempty" doc:"It comes from a fork: its build gets no secrets and no build args of the rule"`
}

// A RefusedTag is a template that gave no tag.
type RefusedTag struct {
	Template string `json:"template" doc:"Of the tag"`
	Reason   Reason `json:"reason" doc:"Why, in one word"`
	Detail   string `json:"detail" doc:"Why, for people"`
}
