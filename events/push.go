package events

// PushEvaluated says what the build rules of a repository make of a branch or tag
// that moved. Its cause is that move; moves before it may have none of their own.
type PushEvaluated struct {
	Namespace  string        `json:"namespace" jsonschema:"id of the namespace"`
	Repository string        `json:"repository" jsonschema:"id of the repository"`
	Name       string        `json:"name" jsonschema:"full name of the repository"`
	Source     string        `json:"source" jsonschema:"id of the git source"`
	Ref        string        `json:"ref" jsonschema:"full name, such as refs/heads/main"`
	Commit     string        `json:"commit" jsonschema:"id of the commit"`
	Previous   string        `json:"previous,omitempty" jsonschema:"id of the commit for which the rules were evaluated before, of this ref: for path filters the files count that changed since then; absent for the first time, when every file counts"`
	After      string        `json:"after,omitempty" jsonschema:"id of the event of that evaluation; its builds that were not queued yet are not wanted any more"`
	Move       string        `json:"move,omitempty" jsonschema:"id of the event that moved the ref, when that is not the cause: somebody asked for the evaluation"`
	RulesEvent string        `json:"rulesEvent" jsonschema:"id of the event that set the rules"`
	File       *RulesFile    `json:"file,omitempty" jsonschema:"the file of rules in the commit, which counted instead of the rules that were set; absent when it did not"`
	Verdicts   []RuleVerdict `json:"verdicts" jsonschema:"one of each rule, in their order; of a file that cannot be used one, with the name of the file"`

	PullRequest *PullRequest `json:"pullRequest,omitempty" jsonschema:"the pull request that the ref is; absent for a branch or tag"`
}

// A RulesFile is what .hubledger.yml of a commit says.
type RulesFile struct {
	Digest  string      `json:"digest,omitempty" jsonschema:"sha256 of its text; absent when it cannot be read"`
	Rules   []BuildRule `json:"rules,omitempty" jsonschema:"its rules; absent when it has none or cannot be used"`
	Problem string      `json:"problem,omitempty" jsonschema:"why it cannot be used, for people, with line and column; nothing is built then"`
}

func (PushEvaluated) EventType() string { return "push.evaluated.v1" }
func (e PushEvaluated) Subject() string {
	return PushSubject(e.Namespace, e.Repository, e.Source, e.Ref)
}

// PushSubject is that of the pushes of one ref of a source, as the rules of one
// repository see them.
func PushSubject(namespaceID, repositoryID, sourceID, ref string) string {
	return SubjectPrefix + namespaceID + ".push." + repositoryID + "-" + HashName(sourceID+"/"+ref)
}

// Outcomes of a RuleVerdict.
const (
	OutcomeBuild = "build" // built, tested if wanted, pushed with the tags
	OutcomeTest  = "test"  // built and tested, never pushed
	OutcomeSkip  = "skip"
)

// A RuleVerdict is what one build rule makes of one ref. A build has at least one
// tag, anything else none.
type RuleVerdict struct {
	Rule         string       `json:"rule" jsonschema:"name of the rule"`
	Outcome      string       `json:"outcome" jsonschema:"build (and push), test (and never push) or skip"`
	Reason       string       `json:"reason" jsonschema:"why, in one word"`
	Detail       string       `json:"detail" jsonschema:"why, for people: the end of a sentence that begins with because"`
	Tags         []string     `json:"tags,omitempty" jsonschema:"tags that a build is pushed as, in the order of the templates"`
	Refused      []RefusedTag `json:"refused,omitempty" jsonschema:"templates that gave no tag; when others did, it is built"`
	PathsUnknown bool         `json:"pathsUnknown,omitempty" jsonschema:"it is not known which files changed: the rule's path filter decides when the commit is fetched"`
	Untrusted    bool         `json:"untrusted,omitempty" jsonschema:"it comes from a fork: its build gets no secrets and no build args of the rule"`
}

// A RefusedTag is a template that gave no tag.
type RefusedTag struct {
	Template string `json:"template" jsonschema:"of the tag"`
	Reason   string `json:"reason" jsonschema:"why, in one word"`
	Detail   string `json:"detail" jsonschema:"why, for people"`
}
