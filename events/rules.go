package events

import (
	"encoding/json"
	"slices"
)

// RulesSet replaces the build rules of a repository.
type RulesSet struct {
	Namespace  string      `json:"namespace" jsonschema:"id of the namespace"`
	Repository string      `json:"repository" jsonschema:"id of the repository"`
	Name       string      `json:"name" jsonschema:"full name of the repository"`
	Source     string      `json:"source,omitempty" jsonschema:"id of the git source whose refs are built, in the same namespace; absent for no automated builds"`
	SameSource bool        `json:"sameSource,omitempty" jsonschema:"the rules before were for the same git source: its refs that moved since those were set are theirs"`
	SameTests  bool        `json:"sameTests,omitempty" jsonschema:"the rules before were for the same git source and tested pull requests, too: those that changed since are theirs"`
	Rules      []BuildRule `json:"rules,omitempty" jsonschema:"all rules from now on; absent for none"`
	FromFile   bool        `json:"fromFile,omitempty" jsonschema:"the rules in .hubledger.yml of a commit are taken instead, when the commit has that file"`
}

func (RulesSet) EventType() string { return "rules.set.v1" }
func (e RulesSet) Subject() string { return RulesSubject(e.Namespace, e.Repository) }

// TestsPullRequests says whether the rules may test pull requests of the source. Those in
// files of commits may.
func (e RulesSet) TestsPullRequests() bool {
	return e.Source != "" && (e.FromFile || slices.ContainsFunc(e.Rules, func(r BuildRule) bool { return r.Autotest == "own" || r.Autotest == "all" }))
}

// RulesSubject is that of the build rules of a repository.
func RulesSubject(namespaceID, repositoryID string) string {
	return SubjectPrefix + namespaceID + ".rules." + repositoryID
}

// A BuildRule says which refs of a git repository are built, how, and which tags
// the image gets. .hubledger.yml and the API have the same names for its fields, and
// take what is absent from DefaultBuildRule: the tag required says so in the API's
// document. Docker Hub's columns are, in their order: Branch or Tag, Tags,
// Dockerfile, Context, Autobuild, Cache.
type BuildRule struct {
	Name       string            `json:"name" jsonschema:"unique in its set: lower-case letters, digits, _ and -"`
	Branch     string            `json:"branch,omitempty" jsonschema:"branches that it is for: the exact name of one, or /pattern/ in RE2, which is searched for anywhere in the name unless it has ^ and $"`
	Tag        string            `json:"tag,omitempty" jsonschema:"git tags that it is for, written like branch; a rule has either branch or tag"`
	Tags       []string          `json:"tags" jsonschema:"tags of the image: one build gets all of them; {sourceref} is the name of the branch or git tag, {slug} the same made fit for a tag, {\\1} to {\\9} are groups of the pattern"`
	Dockerfile string            `json:"dockerfile,omitempty" jsonschema:"path of the Dockerfile from the context; absent for Dockerfile"`
	Context    string            `json:"context,omitempty" jsonschema:"directory that is sent to the build, from the root of the repository; absent for the root. When it is a file, that is the Dockerfile and its directory is the context"`
	Autobuild  bool              `json:"autobuild" required:"false" jsonschema:"build and push when a ref moves; otherwise a ref is at most tested; absent for true"`
	Cache      bool              `json:"cache" required:"false" jsonschema:"reuse layers of earlier builds; absent for true"`
	Autotest   string            `json:"autotest,omitempty" jsonschema:"pull requests that are tested, without a push: off, own (of the repository itself) or all (from forks, too); absent for off"`
	Args       map[string]string `json:"args,omitempty" jsonschema:"build args; they are no secrets"`
	Target     string            `json:"target,omitempty" jsonschema:"stage of the Dockerfile that is built; absent for the last"`
	Platforms  []string          `json:"platforms,omitempty" jsonschema:"such as linux/arm64; absent for the builder's own"`
	Labels     map[string]string `json:"labels,omitempty" jsonschema:"labels of the image"`
	Needs      []string          `json:"needs,omitempty" jsonschema:"names of rules whose builds of the same commit come first, as far as they are for the ref, too"`
	Paths      []string          `json:"paths,omitempty" jsonschema:"globs of which a changed file has to match one: * within a component, ** over components, a leading ! takes files out again; the last match decides; absent for every file"`
	Rebuild    string            `json:"rebuild,omitempty" jsonschema:"when the latest commit of a ref is built again by itself: off, or base (an image of the hub that it was made from has changed); absent for off"`
	Readme     string            `json:"readme,omitempty" jsonschema:"path of a file of the git repository, from its root, which becomes the README of the repository of the image when a build has its tags; absent for none"`
	Secrets    []string          `json:"secrets,omitempty" jsonschema:"names of secrets of the repository that the build may read"`
	SBOM       bool              `json:"sbom,omitempty" jsonschema:"a list of what is in the image, which the hub's scanner makes, is put beside it; absent for no"`
	Network    bool              `json:"network,omitempty" jsonschema:"steps may fetch from public hosts by HTTP and HTTPS; absent for no"`
	Timeout    string            `json:"timeout,omitempty" jsonschema:"how long the build may run, in minutes or hours, such as 45m or 2h; absent for the builder's own"`
	Idle       string            `json:"idle,omitempty" jsonschema:"how long nothing may happen in the build, written like timeout; absent for the builder's own"`
	Submodules Usual             `json:"submodules,omitzero" jsonschema:"fetch the submodules of the git repository; absent for true"`
	LFS        Usual             `json:"lfs,omitzero" jsonschema:"fetch the files of Git LFS, where the git repository is reached by https; absent for true"`
}

// A Usual switch is one that is on where nothing is said: it is written only when it
// is off, so that it could be added to what was released without it.
type Usual bool

// IsZero is of omitzero in package encoding/json.
func (u Usual) IsZero() bool { return bool(u) }

// DefaultBuildRule is a rule with what Docker Hub took for granted: autobuild and
// build caching are on, and the whole repository is fetched.
func DefaultBuildRule() BuildRule {
	return BuildRule{Autobuild: true, Cache: true, Submodules: true, LFS: true}
}

// UnmarshalJSON takes what is absent from DefaultBuildRule.
func (r *BuildRule) UnmarshalJSON(data []byte) error {
	type plain BuildRule // without this method
	p := plain(DefaultBuildRule())
	err := json.Unmarshal(data, &p)
	*r = BuildRule(p)
	return err
}

// TriggerCreated makes a build trigger of a repository: a URL that anybody who knows it
// may call, which has the build rules evaluated again.
type TriggerCreated struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Trigger    string `json:"trigger" jsonschema:"id of the trigger"`
	Name       string `json:"name" jsonschema:"what it is for, as people call it"`
	Hash       []byte `json:"hash" jsonschema:"SHA-256 of the secret in the URL, which has 256 random bits"`
}

func (TriggerCreated) EventType() string { return "trigger.created.v1" }
func (e TriggerCreated) Subject() string { return TriggerSubject(e.Namespace, e.Trigger) }

// TriggerDeleted ends a build trigger.
type TriggerDeleted struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Trigger    string `json:"trigger" jsonschema:"id of the trigger"`
}

func (TriggerDeleted) EventType() string { return "trigger.deleted.v1" }
func (e TriggerDeleted) Subject() string { return TriggerSubject(e.Namespace, e.Trigger) }

// TriggerSubject is that of one build trigger.
func TriggerSubject(namespaceID, triggerID string) string {
	return SubjectPrefix + namespaceID + ".trigger." + triggerID
}

// PushRequested asks for the build rules of a repository to be evaluated again for a
// branch or tag, whether it has moved or not. The evaluation has it as its cause.
type PushRequested struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Name       string `json:"name" jsonschema:"full name of the repository"`
	Source     string `json:"source" jsonschema:"id of the git source"`
	Ref        string `json:"ref" jsonschema:"full name, such as refs/heads/main"`
	Trigger    string `json:"trigger" jsonschema:"id of the trigger that was called"`
}

func (PushRequested) EventType() string { return "push.requested.v1" }
func (e PushRequested) Subject() string {
	return PushSubject(e.Namespace, e.Repository, e.Source, e.Ref)
}

// BuildSecretSet gives a secret that builds of a repository may read a new value,
// which is kept elsewhere.
type BuildSecretSet struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Name       string `json:"name" jsonschema:"full name of the repository"`
	Secret     string `json:"secret" jsonschema:"name of the secret"`
	Record     string `json:"record" jsonschema:"names the record that has the value; another one for each value"`
	ForFile    bool   `json:"forFile,omitempty" jsonschema:"rules in .hubledger.yml of a commit may name it, too"`
}

func (BuildSecretSet) EventType() string { return "build_secret.set.v1" }
func (e BuildSecretSet) Subject() string {
	return BuildSecretSubject(e.Namespace, e.Repository, e.Secret)
}

// BuildSecretRemoved takes a secret from the builds of a repository. Its value is
// destroyed.
type BuildSecretRemoved struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Name       string `json:"name" jsonschema:"full name of the repository"`
	Secret     string `json:"secret" jsonschema:"name of the secret"`
}

func (BuildSecretRemoved) EventType() string { return "build_secret.removed.v1" }
func (e BuildSecretRemoved) Subject() string {
	return BuildSecretSubject(e.Namespace, e.Repository, e.Secret)
}

// BuildSecretSubject is that of one secret of the builds of a repository.
func BuildSecretSubject(namespaceID, repositoryID, secret string) string {
	return SubjectPrefix + namespaceID + ".build_secret." + repositoryID + "-" + HashName(secret)
}
