package events

import "time"

// HookReceived is a webhook of a git host whose signature was right. It is a hint
// that refs may have moved. Its body is kept for a while apart from the log.
type HookReceived struct {
	Namespace  string    `json:"namespace" jsonschema:"id of the namespace"`
	Source     string    `json:"source" jsonschema:"id of the source"`
	Delivery   string    `json:"delivery" jsonschema:"the host's id of the delivery"`
	Event      string    `json:"event" jsonschema:"what the host calls it, such as push"`
	Ping       bool      `json:"ping,omitempty" jsonschema:"the host only tries whether it is heard"`
	Refs       []HookRef `json:"refs,omitempty" jsonschema:"what it says of branches and tags; the first 100"`
	More       int       `json:"more,omitempty" jsonschema:"how many further refs it names"`
	Repository string    `json:"repository,omitempty" jsonschema:"URL of the git repository that it names"`

	PullRequest *HookPullRequest `json:"pullRequest,omitempty" jsonschema:"what it says of a pull request; absent when it is about none, or about one of another git repository"`

	Headers map[string]string `json:"headers,omitempty" jsonschema:"those that say what it is"`
	Digest  string            `json:"digest" jsonschema:"digest of the body, such as sha256:..."`
	Size    int64             `json:"size" jsonschema:"bytes of the body"`
}

// HookRef is what a webhook says of one branch or tag. Nothing is taken for true
// because of it.
type HookRef struct {
	Ref string `json:"ref" jsonschema:"full name"`
	Old string `json:"old,omitempty" jsonschema:"id before; absent when the ref is new, or it is not said"`
	New string `json:"new,omitempty" jsonschema:"id now; absent when the ref was deleted, or it is not said"`
}

// HookPullRequest is what a webhook says of a pull request. It counts while the git host
// shows the pull request at that commit.
type HookPullRequest struct {
	Number int    `json:"number" jsonschema:"that the git host has given it"`
	Head   string `json:"head,omitempty" jsonschema:"id of its commit"`
	Target string `json:"target,omitempty" jsonschema:"full name of the branch that it goes to"`
	Own    bool   `json:"own,omitempty" jsonschema:"its branch is one of the git repository itself; absent when it is of another, or that is not said"`
	Closed bool   `json:"closed,omitempty" jsonschema:"it was merged or closed"`
}

func (HookReceived) EventType() string { return "hook.received.v1" }
func (e HookReceived) Subject() string { return HookSubject(e.Namespace, e.Source) }

// HookRedelivered says that a delivery came again that had been received before.
// Nothing follows from it.
type HookRedelivered struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace"`
	Source    string `json:"source" jsonschema:"id of the source"`
	Delivery  string `json:"delivery" jsonschema:"the host's id of the delivery"`
}

func (HookRedelivered) EventType() string { return "hook.redelivered.v1" }
func (e HookRedelivered) Subject() string { return HookSubject(e.Namespace, e.Source) }

// HookRefused counts the webhooks for a source whose signature was wrong or
// missing, in one period on one node.
type HookRefused struct {
	Namespace string    `json:"namespace" jsonschema:"id of the namespace"`
	Source    string    `json:"source" jsonschema:"id of the source"`
	Node      string    `json:"node" jsonschema:"id of the node that counted"`
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"`
	Requests  int64     `json:"requests"`
	Addresses int64     `json:"addresses" jsonschema:"networks that they came from"`
}

func (HookRefused) EventType() string { return "hook.refused.v1" }
func (e HookRefused) Subject() string { return HookSubject(e.Namespace, e.Source) }

// HookSubject is that of the webhooks of a source.
func HookSubject(namespaceID, sourceID string) string {
	return SubjectPrefix + namespaceID + ".hook." + sourceID
}
