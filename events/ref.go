package events

// Kinds of refs.
const (
	RefBranch = "branch"
	RefTag    = "tag"
)

// RefMoved says where a branch or tag of a source points to now. Several moves
// between two looks at the git host are one.
type RefMoved struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace"`
	Source    string `json:"source" jsonschema:"id of the source"`
	Ref       string `json:"ref" jsonschema:"full name, such as refs/heads/main"`
	Kind      string `json:"kind" jsonschema:"branch or tag"`
	Old       string `json:"old,omitempty" jsonschema:"id of the commit before; absent when there was no such ref"`
	New       string `json:"new,omitempty" jsonschema:"id of the commit; absent when the ref was deleted"`
	Annotated string `json:"annotated,omitempty" jsonschema:"id of the tag object, when the tag is an annotated one"`
	Initial   bool   `json:"initial,omitempty" jsonschema:"the ref was there when the source was first swept"`
}

func (RefMoved) EventType() string { return "ref.moved.v1" }
func (e RefMoved) Subject() string { return RefSubject(e.Namespace, e.Source, e.Ref) }

// RefSubject is that of one branch or tag of a source.
func RefSubject(namespaceID, sourceID, ref string) string {
	return SubjectPrefix + namespaceID + ".ref." + sourceID + "-" + HashName(ref)
}

// RefsRecorded says that the first sweep of a source is complete: refs that are
// seen from now on are new.
type RefsRecorded struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace"`
	Source    string `json:"source" jsonschema:"id of the source"`
	Refs      int    `json:"refs" jsonschema:"branches and tags that were there"`
}

func (RefsRecorded) EventType() string { return "refs.recorded.v1" }
func (e RefsRecorded) Subject() string { return RefsSubject(e.Namespace, e.Source) }

// RefsSubject is that of the first sweep of a source.
func RefsSubject(namespaceID, sourceID string) string {
	return SubjectPrefix + namespaceID + ".refs." + sourceID
}

// Where a pull request comes from.
const (
	PullOwn  = "own"
	PullFork = "fork"
)

// A PullRequest is what is known of a pull request (a merge request of GitLab) besides
// its commit.
type PullRequest struct {
	Number  int    `json:"number" jsonschema:"that the git host has given it"`
	From    string `json:"from" jsonschema:"own: its commit was pushed to the git repository itself; fork: anything else"`
	Target  string `json:"target,omitempty" jsonschema:"full name of the branch that it goes to; absent when that is not known"`
	Assumed bool   `json:"assumed,omitempty" jsonschema:"the git host has not told the target: it is the default branch"`
}

// PullRequestChanged says where a pull request of a source stands now: at which commit,
// where it comes from and where it goes to.
type PullRequestChanged struct {
	Namespace   string      `json:"namespace" jsonschema:"id of the namespace"`
	Source      string      `json:"source" jsonschema:"id of the source"`
	Ref         string      `json:"ref" jsonschema:"full name by which the git host shows it, such as refs/pull/1/head"`
	PullRequest PullRequest `json:"pullRequest"`
	Old         string      `json:"old,omitempty" jsonschema:"id of the commit before; absent when it was new or closed"`
	New         string      `json:"new,omitempty" jsonschema:"id of the commit; absent when it was closed"`
	Initial     bool        `json:"initial,omitempty" jsonschema:"it stood there when the pull requests of the source were first looked at: nothing is tested"`
}

func (PullRequestChanged) EventType() string { return "pull_request.changed.v1" }
func (e PullRequestChanged) Subject() string {
	return PullRequestSubject(e.Namespace, e.Source, e.Ref)
}

// PullRequestSubject is that of one pull request of a source.
func PullRequestSubject(namespaceID, sourceID, ref string) string {
	return SubjectPrefix + namespaceID + ".pull_request." + sourceID + "-" + HashName(ref)
}

// PullRequestsWatched says that the pull requests of a source are looked at from now on,
// or no more. Those that change meanwhile are found when they are looked at again, as
// those of a first look.
type PullRequestsWatched struct {
	Namespace    string `json:"namespace" jsonschema:"id of the namespace"`
	Source       string `json:"source" jsonschema:"id of the source"`
	On           bool   `json:"on" jsonschema:"the first look is complete, and what changes is recorded; otherwise no build rule wants them any more"`
	PullRequests int    `json:"pullRequests" jsonschema:"that were there at the first look"`
}

func (PullRequestsWatched) EventType() string { return "pull_requests.watched.v1" }
func (e PullRequestsWatched) Subject() string {
	return SubjectPrefix + e.Namespace + ".pull_requests." + e.Source
}
