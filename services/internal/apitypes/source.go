package apitypes

import (
	"time"

	"hubledger/events"
)

// A Source is a git repository that a namespace watches.
type Source struct {
	Name          string        `json:"name" doc:"Full name, such as acme/app"`
	URL           string        `json:"url" doc:"Of the git repository, without credentials"`
	Host          string        `json:"host" enum:"github,gitlab,bitbucket,bitbucket-server,gitea,git" doc:"Kind of git host; gitea is Forgejo, too, and git any other"`
	Credentials   string        `json:"credentials,omitempty" enum:"token,deploy-key" doc:"What the git host is shown; absent for nothing"`
	User          string        `json:"user,omitempty" doc:"User name that is sent with the token"`
	DeployKey     string        `json:"deployKey,omitempty" doc:"Public half of the deploy key: give it to the git host"`
	HostKey       string        `json:"hostKey,omitempty" doc:"Key that the SSH host has to show; absent until it was first seen"`
	BuildExisting bool          `json:"buildExisting,omitempty" doc:"Refs that were there when it was linked are built, too"`
	Status        bool          `json:"status,omitempty" doc:"The git host is told how builds of its commits go"`
	StatusToken   bool          `json:"statusToken,omitempty" doc:"There is a token for that; absent: that of the credentials is sent"`
	WebhookURL    string        `json:"webhookUrl" doc:"Where the git host sends its webhooks"`
	Changed       time.Time     `json:"changed" doc:"Latest change of these settings"`
	ChangedBy     string        `json:"changedBy" doc:"Who made it"`
	Seq           uint64        `json:"seq" doc:"Sequence of that change"`
	Heard         *time.Time    `json:"heard,omitempty" doc:"When the latest webhook came"`
	Refused       *HooksRefused `json:"refused,omitempty" doc:"Webhooks that were not signed with its secret, latest period; absent for none, and in lists"`
	Sweep         *Sweep        `json:"sweep,omitempty" doc:"Latest look at its refs; absent while there was none, and in lists"`
	StatusSent    *StatusSent   `json:"statusSent,omitempty" doc:"Latest status of a commit that was sent to the git host with these settings; absent while there was none, and in lists"`
}

// A StatusSent is how it went to tell a git host of a build.
type StatusSent struct {
	At    time.Time  `json:"at" doc:"When it was sent"`
	Error string     `json:"error,omitempty" doc:"Why the git host did not take it, and what to do; absent when it did"`
	Next  *time.Time `json:"next,omitempty" doc:"Nothing is sent before; absent for at once"`
}

// A Sweep is a look at the refs of a git source.
type Sweep struct {
	At       time.Time `json:"at" doc:"When it ended"`
	Next     time.Time `json:"next" doc:"When the next one is due, if no webhook comes before"`
	Refs     int       `json:"refs" doc:"Branches and tags that there were"`
	Moved    int       `json:"moved" doc:"How many were new, moved or deleted"`
	Failures int       `json:"failures,omitempty" doc:"How many failed in a row"`
	Error    string    `json:"error,omitempty" doc:"Why it failed"`
	Waiting  bool      `json:"waiting,omitempty" doc:"Somebody has asked for another one"`
}

// GitCredentials are what a git host is shown. At most one of them is set.
type GitCredentials struct {
	Token     string `json:"token,omitempty" maxLength:"4000" doc:"Token or password for an https URL"`
	User      string `json:"user,omitempty" maxLength:"200" doc:"User name beside the token; absent for the one that the git host expects"`
	DeployKey bool   `json:"deployKey,omitempty" doc:"Make a new Ed25519 key for an ssh URL"`
}

// LinkSourceRequest asks to watch a git repository.
type LinkSourceRequest struct {
	Name          string         `json:"name" minLength:"1" maxLength:"200" doc:"Name in the namespace, without the namespace"`
	URL           string         `json:"url" minLength:"1" maxLength:"1000" doc:"https, http or ssh URL of the git repository, without credentials"`
	Host          string         `json:"host,omitempty" enum:"github,gitlab,bitbucket,bitbucket-server,gitea,git" doc:"Kind of git host; absent: that of a well-known host, or git"`
	Credentials   GitCredentials `json:"credentials,omitempty"`
	HostKey       string         `json:"hostKey,omitempty" maxLength:"4000" doc:"Key that the SSH host has to show; absent to take the one that it shows first"`
	BuildExisting bool           `json:"buildExisting,omitempty" doc:"Refs that are there now are built, too"`
	Status        bool           `json:"status,omitempty" doc:"Tell the git host how builds of its commits go"`
	StatusToken   string         `json:"statusToken,omitempty" maxLength:"4000" doc:"Token for that; absent for the one of the credentials"`
}

// ChangeSourceRequest changes a git source. What is absent stays.
type ChangeSourceRequest struct {
	URL           *string         `json:"url,omitempty" maxLength:"1000" doc:"https, http or ssh URL of the git repository"`
	Host          *string         `json:"host,omitempty" enum:"github,gitlab,bitbucket,bitbucket-server,gitea,git" doc:"Kind of git host"`
	Credentials   *GitCredentials `json:"credentials,omitempty" doc:"An empty one takes the credentials away"`
	HostKey       *string         `json:"hostKey,omitempty" maxLength:"4000" doc:"An empty one takes the key that the SSH host shows next"`
	HookSecret    bool            `json:"hookSecret,omitempty" doc:"Make a new secret for webhooks; the old one no longer works"`
	BuildExisting *bool           `json:"buildExisting,omitempty" doc:"Whether refs that were there when it was linked are built, too"`
	Status        *bool           `json:"status,omitempty" doc:"Whether the git host is told how builds of its commits go, of those that are queued from now on"`
	StatusToken   *string         `json:"statusToken,omitempty" maxLength:"4000" doc:"Token for that; an empty one for the one of the credentials"`
	Seq           *uint64         `json:"seq,omitempty" doc:"The source is only changed if its latest change still is this one; absent: whatever it is"`
}

// A ChangedSource is a git source after it was linked or changed.
type ChangedSource struct {
	Source
	HookSecret string `json:"hookSecret,omitempty" doc:"What the git host signs its webhooks with, when it was made now; it is not shown again"`
}

// A GitRef is where a branch or tag of a git source points to, or where a pull request
// stands.
type GitRef struct {
	Ref       string `json:"ref" doc:"Full name, such as refs/heads/main"`
	Kind      string `json:"kind" enum:"branch,tag,pull_request" doc:"What it is"`
	Commit    string `json:"commit,omitempty" doc:"Absent when it was deleted or closed"`
	Previous  string `json:"previous,omitempty" doc:"Commit before the latest move"`
	Annotated string `json:"annotated,omitempty" doc:"Id of the tag object of an annotated tag"`
	Initial   bool   `json:"initial,omitempty" doc:"It has not moved since the source was linked; of a pull request, since they are watched"`

	PullRequest *PullRequest `json:"pullRequest,omitempty" doc:"What is known of a pull request"`

	Moved time.Time `json:"moved" doc:"When the hub saw it move"`
	Seq   uint64    `json:"seq" doc:"Sequence of that event in the log"`
}

// A PullRequest is what is known of a pull request of a git source.
type PullRequest struct {
	Number  int    `json:"number" doc:"That the git host has given it"`
	From    string `json:"from" enum:"own,fork" doc:"Own: its commit was pushed to the git repository itself; everything else counts as a fork"`
	Target  string `json:"target,omitempty" doc:"Full name of the branch that it goes to; absent when that is not known"`
	Assumed bool   `json:"assumed,omitempty" doc:"The git host has not told the target: it is the default branch"`
}

// ShownPull is a pull request as the API shows it, nil for none.
func ShownPull(p *events.PullRequest) *PullRequest {
	if p == nil {
		return nil
	}
	shown := PullRequest(*p)
	return &shown
}
