package events

// Kinds of git hosts. They differ in how their webhooks look and are signed.
const (
	HostGitHub          = "github"
	HostGitLab          = "gitlab"
	HostBitbucket       = "bitbucket"        // Bitbucket Cloud
	HostBitbucketServer = "bitbucket-server" // Bitbucket Data Center
	HostGitea           = "gitea"            // Forgejo, too
	HostGit             = "git"              // any other; its webhooks are signed as GitHub's are
)

// Kinds of credentials that a git host is shown.
const (
	CredentialsToken     = "token"      // a user name and a token, over HTTPS
	CredentialsDeployKey = "deploy-key" // an Ed25519 key, over SSH
)

// SourceSettings are all settings of a git source. It has no secrets.
type SourceSettings struct {
	URL           string `json:"url" jsonschema:"https, http or ssh URL of the git repository, without credentials"`
	Host          string `json:"host" jsonschema:"kind of git host: github, gitlab, bitbucket, bitbucket-server, gitea or git"`
	Credentials   string `json:"credentials,omitempty" jsonschema:"token or deploy-key; absent when the repository can be read by everybody"`
	Secret        string `json:"credentialsSecret,omitempty" jsonschema:"id of the record among the secrets that holds the token, or the private half of the deploy key"`
	User          string `json:"user,omitempty" jsonschema:"user name that is sent with the token"`
	DeployKey     string `json:"deployKey,omitempty" jsonschema:"public half of the deploy key, as in an authorized_keys file"`
	HostKey       string `json:"hostKey,omitempty" jsonschema:"key that the SSH host has to show, as in an authorized_keys file; absent until it was first seen"`
	HookSecret    string `json:"hookSecret" jsonschema:"id of the record among the secrets that webhooks are signed with"`
	BuildExisting bool   `json:"buildExisting,omitempty" jsonschema:"refs of the first sweep are built, too"`

	Status       bool   `json:"status,omitempty" jsonschema:"the git host is told of the builds of its commits"`
	StatusSecret string `json:"statusSecret,omitempty" jsonschema:"id of the record among the secrets that holds the token for that; absent for the one of the credentials"`
}

// SourceLinked makes a namespace watch a git repository. A name whose source was
// unlinked can be used again; that is another source with an id of its own.
type SourceLinked struct {
	Namespace string         `json:"namespace" jsonschema:"id of the namespace"`
	Source    string         `json:"source" jsonschema:"id of the source, UUIDv7"`
	Name      string         `json:"name" jsonschema:"full name, such as alice/app"`
	Settings  SourceSettings `json:"settings"`
}

func (SourceLinked) EventType() string { return "source.linked.v1" }
func (e SourceLinked) Subject() string { return SourceSubject(e.Namespace, e.Name) }

// Settings that a SourceChanged names.
const (
	ChangedURL           = "url"
	ChangedHost          = "host"
	ChangedCredentials   = "credentials"
	ChangedHostKey       = "host-key"
	ChangedHookSecret    = "hook-secret"
	ChangedBuildExisting = "build-existing"
	ChangedStatus        = "status"       // whether the git host is told of builds
	ChangedStatusToken   = "status-token" // what with
)

// SourceChanged replaces the settings of a source.
type SourceChanged struct {
	Namespace string         `json:"namespace" jsonschema:"id of the namespace"`
	Source    string         `json:"source" jsonschema:"id of the source"`
	Name      string         `json:"name" jsonschema:"full name"`
	Settings  SourceSettings `json:"settings" jsonschema:"all settings from now on"`
	Changed   []string       `json:"changed" jsonschema:"what differs: url, host, credentials, host-key, hook-secret, build-existing, status, status-token"`
}

func (SourceChanged) EventType() string { return "source.changed.v1" }
func (e SourceChanged) Subject() string { return SourceSubject(e.Namespace, e.Name) }

// SourceUnlinked ends a source. Its secrets are destroyed, its history stays.
type SourceUnlinked struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace"`
	Source    string `json:"source" jsonschema:"id of the source"`
	Name      string `json:"name" jsonschema:"full name"`
}

func (SourceUnlinked) EventType() string { return "source.unlinked.v1" }
func (e SourceUnlinked) Subject() string { return SourceSubject(e.Namespace, e.Name) }

// SourceSubject is that of the sources of that full name, which exist one after
// another.
func SourceSubject(namespaceID, name string) string {
	return SubjectPrefix + namespaceID + ".source." + HashName(name)
}

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
