package events

// How the status of a commit ends at its git host, in the hub's own words.
const (
	StatusSuccess   = "success"
	StatusFailure   = "failure"
	StatusError     = "error"     // the build was lost with its builders
	StatusCancelled = "cancelled" // or a newer commit came first
)

// StatusSent says that a git host knows how a build ended. What it was told before, such
// as that the build waits, is no event: it is over within minutes, nobody asks for it
// later, and each event costs a write that is synced and stays for ever. The end is what
// merge requests are decided by, and what must not be sent again after the operational
// store was lost.
type StatusSent struct {
	Namespace string   `json:"namespace" jsonschema:"id of the namespace"`
	Build     string   `json:"build" jsonschema:"id of the build"`
	Source    string   `json:"source" jsonschema:"id of the git source"`
	Commit    string   `json:"commit" jsonschema:"id of the commit"`
	Context   string   `json:"context" jsonschema:"what the status is called at the git host, such as hubledger/acme/app/release"`
	State     string   `json:"state" jsonschema:"success, failure, error or cancelled"`
	Settles   []uint64 `json:"settles" jsonschema:"sequences of the events that queued the build and, before it, others of the same commit by the same rule: nothing is sent of them any more"`
}

func (StatusSent) EventType() string { return "status.sent.v1" }
func (e StatusSent) Subject() string { return StatusSubject(e.Namespace, e.Build) }

// StatusGivenUp says that a git host could not be told how a build ended, for a day.
type StatusGivenUp struct {
	Namespace string   `json:"namespace" jsonschema:"id of the namespace"`
	Build     string   `json:"build" jsonschema:"id of the build"`
	Source    string   `json:"source" jsonschema:"id of the git source"`
	Commit    string   `json:"commit" jsonschema:"id of the commit"`
	Context   string   `json:"context" jsonschema:"what the status is called at the git host"`
	State     string   `json:"state" jsonschema:"success, failure, error or cancelled: what was to be sent"`
	Why       string   `json:"why" jsonschema:"why the latest attempt failed, for people; without secrets"`
	Settles   []uint64 `json:"settles" jsonschema:"as in status.sent.v1"`
}

func (StatusGivenUp) EventType() string { return "status.given_up.v1" }
func (e StatusGivenUp) Subject() string { return StatusSubject(e.Namespace, e.Build) }

// StatusSubject is that of the status of the commit of one build.
func StatusSubject(namespaceID, buildID string) string {
	return SubjectPrefix + namespaceID + ".status." + buildID
}
