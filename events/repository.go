package events

import "time"

// RepositoryCreated mints a repository. A name whose repository was deleted
// can be created again; that is another repository with an id of its own.
type RepositoryCreated struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace, UUIDv7"`
	Repository string `json:"repository" jsonschema:"id of the repository, UUIDv7"`
	Name       string `json:"name" jsonschema:"full name, such as alice/app"`
	Visibility string `json:"visibility,omitempty" jsonschema:"public or private; absent means private"`
}

// Visibilities. Everybody may pull from a public repository.
const (
	Public  = "public"
	Private = "private"
)

func (RepositoryCreated) EventType() string { return "repository.created.v1" }
func (e RepositoryCreated) Subject() string { return RepositorySubject(e.Namespace, e.Name) }

// RepositoryDeleted hides a repository with all it has until it is restored
// or the undelete window ends.
type RepositoryDeleted struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Name       string `json:"name" jsonschema:"full name"`
}

func (RepositoryDeleted) EventType() string { return "repository.deleted.v1" }
func (e RepositoryDeleted) Subject() string { return RepositorySubject(e.Namespace, e.Name) }

// RepositoryRestored undoes a deletion.
type RepositoryRestored struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository that lives again"`
	Name       string `json:"name" jsonschema:"full name"`
}

func (RepositoryRestored) EventType() string { return "repository.restored.v1" }
func (e RepositoryRestored) Subject() string { return RepositorySubject(e.Namespace, e.Name) }

// RepositoryPolicyChanged replaces a repository's whole policy.
type RepositoryPolicyChanged struct {
	Namespace  string           `json:"namespace" jsonschema:"id of the namespace"`
	Repository string           `json:"repository" jsonschema:"id of the repository"`
	Name       string           `json:"name" jsonschema:"full name"`
	Policy     RepositoryPolicy `json:"policy"`
}

// RepositoryPolicy is what a repository accepts. The zero value is the default.
type RepositoryPolicy struct {
	SparseIndexes bool     `json:"sparseIndexes,omitempty" jsonschema:"accept an index some of whose manifests are not there"`
	ImmutableTags []string `json:"immutableTags,omitempty" jsonschema:"RE2 patterns that match a whole tag: such a tag is pushed once and neither moved nor deleted"`
	Cleanup       *Cleanup `json:"cleanup,omitempty" jsonschema:"what is deleted by itself; absent for nothing"`
}

// Cleanup is a repository's cleanup rule. KeepLast and KeepTags protect tags. Of
// the others, those are deleted that have not been pulled or pushed for
// NotPulledDays; when that is 0 and KeepLast is not, all of them are.
type Cleanup struct {
	KeepLast      int      `json:"keepLast,omitempty" jsonschema:"so many of the tags pushed last stay; 0 protects none"`
	KeepTags      []string `json:"keepTags,omitempty" jsonschema:"RE2 patterns that match a whole tag: such tags stay"`
	NotPulledDays int      `json:"notPulledDays,omitempty" jsonschema:"days without a pull or a push after which a tag goes; 0 for no such rule"`
	UntaggedDays  int      `json:"untaggedDays,omitempty" jsonschema:"days after which a manifest goes that no tag, index or referrer's subject needs; 0 for never"`
}

func (RepositoryPolicyChanged) EventType() string { return "repository.policy_changed.v1" }
func (e RepositoryPolicyChanged) Subject() string { return RepositorySubject(e.Namespace, e.Name) }

// RepositoryVisibilityChanged opens a repository to everybody, or closes it.
type RepositoryVisibilityChanged struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Name       string `json:"name" jsonschema:"full name"`
	Visibility string `json:"visibility" jsonschema:"public or private"`
}

func (RepositoryVisibilityChanged) EventType() string { return "repository.visibility_changed.v1" }
func (e RepositoryVisibilityChanged) Subject() string { return RepositorySubject(e.Namespace, e.Name) }

// RepositoryDescribed replaces a repository's description, readme and topics.
type RepositoryDescribed struct {
	Namespace   string   `json:"namespace" jsonschema:"id of the namespace"`
	Repository  string   `json:"repository" jsonschema:"id of the repository"`
	Name        string   `json:"name" jsonschema:"full name"`
	Description string   `json:"description,omitempty" jsonschema:"one line, at most 100 characters"`
	Readme      string   `json:"readme,omitempty" jsonschema:"Markdown, at most 100,000 bytes"`
	Topics      []string `json:"topics,omitempty" jsonschema:"at most 20, each of lower-case letters, digits and -"`
}

func (RepositoryDescribed) EventType() string { return "repository.described.v1" }
func (e RepositoryDescribed) Subject() string { return RepositorySubject(e.Namespace, e.Name) }

// RepositorySummaryChanged replaces a repository's description and topics; its
// readme stays and is not restated.
type RepositorySummaryChanged struct {
	Namespace   string   `json:"namespace" jsonschema:"id of the namespace"`
	Repository  string   `json:"repository" jsonschema:"id of the repository"`
	Name        string   `json:"name" jsonschema:"full name"`
	Description string   `json:"description,omitempty" jsonschema:"one line, at most 100 characters"`
	Topics      []string `json:"topics,omitempty" jsonschema:"at most 20, each of lower-case letters, digits and -"`
}

func (RepositorySummaryChanged) EventType() string { return "repository.summary_changed.v1" }
func (e RepositorySummaryChanged) Subject() string { return RepositorySubject(e.Namespace, e.Name) }

// RefusalsCounted counts what the registry has refused to an account on a repository, for
// one reason, in a stretch of time. There is at most one for each reason in an hour, and not
// every refusal is counted: the log cannot be filled by them.
type RefusalsCounted struct {
	Namespace  string    `json:"namespace" jsonschema:"id of the namespace"`
	Repository string    `json:"repository" jsonschema:"id of the repository"`
	Account    string    `json:"account" jsonschema:"id of the user or robot account"`
	Kind       string    `json:"kind" jsonschema:"user or robot"`
	Visible    bool      `json:"visible,omitempty" jsonschema:"the account could see the repository, so that it may read this"`
	Action     string    `json:"action" jsonschema:"pull, push or delete"`
	Reason     string    `json:"reason" jsonschema:"rights: no role allows it; token: the account may, but not by its access token; immutable: the tag cannot be changed; quota: the namespace is full; space: the disk is full"`
	Attempts   int64     `json:"attempts" jsonschema:"requests that were refused; clients send several for one push"`
	From       time.Time `json:"from" jsonschema:"time of the first"`
	Until      time.Time `json:"until" jsonschema:"time of the last"`
}

// Reasons of RefusalsCounted.
const (
	RefusedByRights    = "rights"
	RefusedByToken     = "token"
	RefusedByImmutable = "immutable"
	RefusedByQuota     = "quota"
	RefusedBySpace     = "space"
)

func (RefusalsCounted) EventType() string { return "refusals.counted.v1" }
func (e RefusalsCounted) Subject() string { return RefusalsSubject(e.Namespace, e.Repository) }
