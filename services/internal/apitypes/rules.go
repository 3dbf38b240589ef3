package apitypes

import (
	"time"

	"hubledger/events"
	"hubledger/services/internal/buildrule"
)

// Rules are the build rules of a repository.
type Rules struct {
	Source    string              `json:"source" doc:"Full name of the git source whose refs they are for; empty for no automated builds, and when the source was unlinked"`
	Rules     []events.BuildRule  `json:"rules" nullable:"false" doc:"In the order in which they were set"`
	FromFile  bool                `json:"fromFile,omitempty" doc:"The rules in .hubledger.yml of a commit are taken instead, when the commit has that file"`
	Warnings  []buildrule.Problem `json:"warnings" nullable:"false" doc:"What to look at, such as rules that may give one tag"`
	Changed   *time.Time          `json:"changed,omitempty" doc:"When they were set; absent when they never were"`
	ChangedBy string              `json:"changedBy,omitempty" doc:"Who set them"`
	Seq       uint64              `json:"seq" doc:"Sequence of the event that set them, 0 when they never were set"`
}

// SetRulesRequest replaces the build rules of a repository.
type SetRulesRequest struct {
	Source string             `json:"source" maxLength:"400" doc:"Full name of a git source in the namespace of the repository; empty with no rules"`
	Rules  []events.BuildRule `json:"rules" maxItems:"50" nullable:"false" doc:"All rules from now on; none ends automated builds"`
	// FromFile needs a source, and no rules.
	FromFile bool    `json:"fromFile,omitempty" doc:"Take the rules in .hubledger.yml of a commit instead, when the commit has that file: whoever may push to the git repository sets them"`
	Seq      *uint64 `json:"seq,omitempty" doc:"The rules are only set if they still are those of this sequence, 0 for never set; absent: whatever they are"`
}

// SimulateRulesRequest asks what rules would make of refs.
type SimulateRulesRequest struct {
	Rules       *[]events.BuildRule `json:"rules,omitempty" maxItems:"50" nullable:"false" doc:"Rules to try; absent: the repository's own"`
	Source      string              `json:"source,omitempty" maxLength:"400" doc:"Full name of the git source whose refs are taken; absent: that of the repository's own rules"`
	Refs        []string            `json:"refs,omitempty" maxItems:"1000" nullable:"false" doc:"Full names, such as refs/heads/main; absent: the refs of the git source, those that moved last first"`
	Changed     []string            `json:"changed,omitempty" maxItems:"1000" nullable:"false" doc:"Paths of changed files, for path filters; absent: it is not known which files changed"`
	PullRequest string              `json:"pullRequest,omitempty" enum:"own,fork" doc:"Simulate pull requests to the branches, from the git repository itself or from a fork"`
}

// A Push is what the build rules of a repository have made of a branch or git tag that
// moved.
type Push struct {
	Ref         string               `json:"ref" doc:"Full name, such as refs/heads/main"`
	Commit      string               `json:"commit" doc:"Where it stood"`
	PullRequest *PullRequest         `json:"pullRequest,omitempty" doc:"The pull request that the ref is; absent for a branch or tag"`
	Summary     string               `json:"summary" doc:"What the verdicts come to, for people"`
	Verdicts    []events.RuleVerdict `json:"verdicts" nullable:"false" doc:"One of each rule, in their order; of a file that cannot be used one, with its name"`
	File        *events.RulesFile    `json:"file,omitempty" doc:"What .hubledger.yml of the commit says, when that counted instead of the rules that were set"`
	Unqueued    int                  `json:"unqueued,omitempty" doc:"How many of its builds are not queued yet, because too many builds of the namespace are waiting"`
	Evaluated   time.Time            `json:"evaluated" doc:"When the rules were evaluated"`
	Seq         uint64               `json:"seq" doc:"Sequence of that event"`
}

// A WaitingPush is a branch or git tag that moved and for which the build rules are not
// evaluated yet.
type WaitingPush struct {
	Ref         string       `json:"ref" doc:"Full name, such as refs/heads/main"`
	Commit      string       `json:"commit" doc:"Where it stands"`
	PullRequest *PullRequest `json:"pullRequest,omitempty" doc:"The pull request that the ref is; absent for a branch or tag"`
	Moved       time.Time    `json:"moved" doc:"When it came there"`
	Why         string       `json:"why" doc:"What it waits for, for people"`
	Attempts    int          `json:"attempts,omitempty" doc:"How often the commit was looked at in vain"`
	Next        *time.Time   `json:"next,omitempty" doc:"When that is tried again"`
}

// WaitingPushes are those of a repository.
type WaitingPushes struct {
	Pushes []WaitingPush `json:"pushes" nullable:"false" doc:"Those that moved first before others"`
}

// A BuildSecret is a secret that builds of a repository may read. Nobody reads its value.
type BuildSecret struct {
	Name      string     `json:"name" doc:"Rules and Dockerfiles name it so"`
	ForFile   bool       `json:"forFile,omitempty" doc:"Rules in .hubledger.yml of a commit may name it, too"`
	Changed   *time.Time `json:"changed,omitempty" doc:"When it was set"`
	ChangedBy string     `json:"changedBy,omitempty" doc:"Who set it"`
}

// BuildSecrets are those of a repository.
type BuildSecrets struct {
	Secrets []BuildSecret `json:"secrets" nullable:"false" doc:"In the order of their names"`
}

// SetBuildSecretRequest gives a secret a value.
type SetBuildSecretRequest struct {
	Value   string `json:"value" maxLength:"65536" doc:"The value, as text; it is not shown again"`
	ForFile bool   `json:"forFile,omitempty" doc:"Rules in .hubledger.yml of a commit may name it, too: whoever may push to the git repository can then read it"`
}
