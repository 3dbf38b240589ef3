package apitypes

import "time"

// A HookAnswer tells a git host what became of its webhook.
type HookAnswer struct {
	Verdict  string `json:"verdict"` // received, ping or redelivered
	Text     string `json:"text"`
	Event    string `json:"event"`    // what the host calls it
	Delivery string `json:"delivery"` // id of the delivery
	Seq      uint64 `json:"seq"`      // sequence of its event in the log
}

// HooksRefused counts the webhooks of a git source that were not signed with its secret.
type HooksRefused struct {
	Requests int64     `json:"requests" doc:"How many there were"`
	Networks int64     `json:"networks" doc:"How many networks they came from"`
	Until    time.Time `json:"until" doc:"End of the period, which is 5 minutes"`
}

// A HookDelivery is a webhook that a git source has received.
type HookDelivery struct {
	Seq         uint64            `json:"seq" doc:"Sequence of its event in the log; its number in other operations"`
	Delivery    string            `json:"delivery" doc:"The git host's id of it; of a host that has none, the body's digest"`
	Event       string            `json:"event" doc:"What the git host calls it, such as push"`
	Ping        bool              `json:"ping,omitempty" doc:"The host only tried whether it is heard"`
	Refs        []HookRef         `json:"refs" doc:"Branches and tags that it says have changed; at most 100, and 5 in lists"`
	More        int               `json:"more,omitempty" doc:"How many it names beyond them"`
	Repository  string            `json:"repository,omitempty" doc:"URL of the git repository that it names"`
	PullRequest *HookPullRequest  `json:"pullRequest,omitempty" doc:"What it says of a pull request of this git repository"`
	Headers     map[string]string `json:"headers" doc:"Those that say what it is"`
	Digest      string            `json:"digest" doc:"Digest of the body"`
	Size        int64             `json:"size" doc:"Bytes of the body"`
	Received    time.Time         `json:"received" doc:"When it came"`
	Redelivered int               `json:"redelivered,omitempty" doc:"How often it came again; nothing follows from that"`
	Moved       int               `json:"moved" doc:"How many refs the sweep found moved that it led to. Webhooks that came before the same sweep have 0: it counts for the latest"`
	Moves       []HookMove        `json:"moves,omitempty" doc:"The first 100 of them, in byte order; not in lists"`
}

// A HookRef is what a webhook says of one branch or tag.
type HookRef struct {
	Ref string `json:"ref" doc:"Full name"`
	Old string `json:"old,omitempty" doc:"Id before; absent when the ref is new, or it is not said"`
	New string `json:"new,omitempty" doc:"Id now; absent when the ref was deleted, or it is not said"`
}

// A HookPullRequest is what a webhook says of a pull request.
type HookPullRequest struct {
	Number int    `json:"number" doc:"That the git host has given it"`
	Head   string `json:"head,omitempty" doc:"Id of its commit"`
	Target string `json:"target,omitempty" doc:"Full name of the branch that it goes to"`
	Own    bool   `json:"own,omitempty" doc:"Its branch is one of the git repository itself"`
	Closed bool   `json:"closed,omitempty" doc:"It was merged or closed"`
}

// A HookMove is a branch or tag that a sweep has found moved.
type HookMove struct {
	Ref      string `json:"ref" doc:"Full name"`
	Previous string `json:"previous,omitempty" doc:"Commit before; absent when the ref is new"`
	Commit   string `json:"commit,omitempty" doc:"Absent when it was deleted"`
	Seq      uint64 `json:"seq" doc:"Sequence of that event in the log"`
}
