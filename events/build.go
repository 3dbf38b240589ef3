package events

import "time"

// BuildQueued makes a build: one commit or uploaded directory, one rule, one image with
// all its tags.
type BuildQueued struct {
	Namespace  string    `json:"namespace" jsonschema:"id of the namespace"`
	Repository string    `json:"repository" jsonschema:"id of the repository of the image"`
	Build      string    `json:"build" jsonschema:"id of the build"`
	Source     string    `json:"source" jsonschema:"id of the git source"`
	Ref        string    `json:"ref" jsonschema:"full name of the branch or tag"`
	Kind       string    `json:"kind" jsonschema:"branch or tag"`
	Commit     string    `json:"commit" jsonschema:"id of the commit"`
	Rule       BuildRule `json:"rule" jsonschema:"as it was then"`
	Tags       []string  `json:"tags,omitempty" jsonschema:"tags that the image gets; absent for a test"`
	Test       bool      `json:"test,omitempty" jsonschema:"built and tested, never pushed"`
	Untrusted  bool      `json:"untrusted,omitempty" jsonschema:"of a fork: no secrets and no build args"`
	FromFile   bool      `json:"fromFile,omitempty" jsonschema:"the rule comes from .hubledger.yml of the commit"`
	RetryOf    string    `json:"retryOf,omitempty" jsonschema:"id of the build that is made again by this one"`

	PullRequest *PullRequest `json:"pullRequest,omitempty" jsonschema:"the pull request that is tested: kind is that of its target; absent for a branch or tag"`

	Rebuild *BuildRebuild `json:"rebuild,omitempty" jsonschema:"the image that has changed, and so led to this build; absent when something else did"`

	Upload *BuildUpload `json:"upload,omitempty" jsonschema:"the directory that is built instead of a commit: source, ref, kind and commit are empty then, and the rule has no name; absent for a build from git"`

	Hooks bool `json:"hooks,omitempty" jsonschema:"the build that is made again has hooks or autotests, as builders have found"`
}

// BuildUpload is a directory that somebody has sent to be built.
type BuildUpload struct {
	Name    string `json:"name" jsonschema:"full name of the repository of the image"`
	Digest  string `json:"digest" jsonschema:"of the tar file with the directory, a blob of that repository"`
	Size    int64  `json:"size" jsonschema:"bytes of that file"`
	Account string `json:"account,omitempty" jsonschema:"id of the account by whose rights the build pulls and pushes; absent for the operator, whose build has those of an owner of the namespace"`
	Token   string `json:"token,omitempty" jsonschema:"id of the access token by which it was asked for: the build may do what that may, as long as it is good; absent for a password"`
}

// BuildRebuild is why the hub makes a build again: the tag of an image that it was made
// from names another one now.
type BuildRebuild struct {
	Base  string   `json:"base" jsonschema:"name of the image, as the build asked for it"`
	Was   string   `json:"was" jsonschema:"digest that the build had"`
	Now   string   `json:"now" jsonschema:"digest that the name means now"`
	Chain []string `json:"chain,omitempty" jsonschema:"ids of the builds that made that image, and those before it in the same way, the first one first; absent when it was pushed from outside"`
}

func (BuildQueued) EventType() string { return "build.queued.v1" }
func (e BuildQueued) Subject() string { return BuildSubject(e.Namespace, e.Build) }

// BuildClaimed gives a build to a builder. Each claim has the next epoch; what a
// builder says with an older one does not count.
type BuildClaimed struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace"`
	Build     string `json:"build" jsonschema:"id of the build"`
	Builder   string `json:"builder" jsonschema:"name of the builder"`
	Epoch     int    `json:"epoch" jsonschema:"1 for the first claim"`

	Repository string `json:"repository,omitempty" jsonschema:"id of the repository of the image; absent where an earlier version said it"`

	Scanner string `json:"scanner,omitempty" jsonschema:"image of the hub that makes the SBOM, by its digest: NAMESPACE/NAME@sha256:…; absent when none is made, or where an earlier version said it"`
}

func (BuildClaimed) EventType() string { return "build.claimed.v1" }
func (e BuildClaimed) Subject() string { return BuildSubject(e.Namespace, e.Build) }

// Kinds of steps.
const (
	StepFetch = "fetch"
	StepBuild = "build"
	StepTest  = "test"
	StepPush  = "push"
)

// BuildStepEnded says that a step of a build has ended, well or not.
type BuildStepEnded struct {
	Namespace string    `json:"namespace" jsonschema:"id of the namespace"`
	Build     string    `json:"build" jsonschema:"id of the build"`
	Epoch     int       `json:"epoch" jsonschema:"of the claim"`
	Step      int       `json:"step" jsonschema:"number of the step, from 1"`
	Kind      string    `json:"kind" jsonschema:"fetch, build, test or push"`
	Name      string    `json:"name" jsonschema:"such as the line of the Dockerfile"`
	Began     time.Time `json:"began" jsonschema:"by the builder's clock"`
	Took      int64     `json:"took" jsonschema:"milliseconds"`
	Cached    bool      `json:"cached,omitempty" jsonschema:"its result was there already"`
	Failed    bool      `json:"failed,omitempty" jsonschema:"it has ended the build"`

	Repository string `json:"repository,omitempty" jsonschema:"id of the repository of the image; absent where an earlier version said it"`

	Hooks bool `json:"hooks,omitempty" jsonschema:"the build has hooks or autotests, and this step is one of them or of what is done between them"`
}

func (BuildStepEnded) EventType() string { return "build.step_ended.v1" }
func (e BuildStepEnded) Subject() string { return BuildSubject(e.Namespace, e.Build) }

// BuildPushed says that the image of a build is in its repository, without its tags.
type BuildPushed struct {
	Namespace string      `json:"namespace" jsonschema:"id of the namespace"`
	Build     string      `json:"build" jsonschema:"id of the build"`
	Epoch     int         `json:"epoch" jsonschema:"of the claim"`
	Digest    string      `json:"digest" jsonschema:"of the manifest or index"`
	Bases     []BuildBase `json:"bases,omitempty" jsonschema:"images that it was made from, as far as the builder tells"`
	Readme    string      `json:"readme,omitempty" jsonschema:"text of the README that the rule names; absent when there is none or it is the one of the repository already"`

	Repository string `json:"repository,omitempty" jsonschema:"id of the repository of the image; absent where an earlier version said it"`
}

// BuildBase is an image that a build took files from: by FROM, COPY --from or a mount.
type BuildBase struct {
	Name       string `json:"name" jsonschema:"as the build asked for it, in full, such as docker.io/library/alpine:3.22"`
	Digest     string `json:"digest" jsonschema:"of the manifest or index that the name meant then"`
	Platform   string `json:"platform,omitempty" jsonschema:"such as linux/arm64; absent for the builder's own"`
	Repository string `json:"repository,omitempty" jsonschema:"full name of the repository of the hub that it came from; absent when it is from elsewhere"`
	Tag        string `json:"tag,omitempty" jsonschema:"tag of that repository that was asked for; absent when a digest was"`
}

// MaxBuildBases bounds the images that one build is said to be made from.
const MaxBuildBases = 100

func (BuildPushed) EventType() string { return "build.pushed.v1" }
func (e BuildPushed) Subject() string { return BuildSubject(e.Namespace, e.Build) }

// BuildLost says that the builder that had a build does not have it any more: it
// waits again.
type BuildLost struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace"`
	Build     string `json:"build" jsonschema:"id of the build"`
	Builder   string `json:"builder" jsonschema:"name of the builder"`
	Epoch     int    `json:"epoch" jsonschema:"of the claim that ends"`
	Released  bool   `json:"released,omitempty" jsonschema:"the builder gave it back because it stopped, or cannot do what it needs; absent when nothing was heard of it"`
	Lacks     string `json:"lacks,omitempty" jsonschema:"what it needs and that builder does not do, but another one may: hooks; absent for nothing"`

	Repository string `json:"repository,omitempty" jsonschema:"id of the repository of the image; absent where an earlier version said it"`
}

// LacksHooks is of BuildLost: the build has hooks or autotests.
const LacksHooks = "hooks"

func (BuildLost) EventType() string { return "build.lost.v1" }
func (e BuildLost) Subject() string { return BuildSubject(e.Namespace, e.Build) }

// How builds end.
const (
	BuildSucceeded  = "succeeded"
	BuildFailed     = "failed"
	BuildCancelled  = "cancelled"
	BuildSuperseded = "superseded" // a newer commit came before it was built, or has the tags
	BuildGivenUp    = "lost"       // its builders were lost too often
)

// BuildFinished ends a build.
type BuildFinished struct {
	Namespace string     `json:"namespace" jsonschema:"id of the namespace"`
	Build     string     `json:"build" jsonschema:"id of the build"`
	Epoch     int        `json:"epoch,omitempty" jsonschema:"of the latest claim; absent when there was none"`
	Outcome   string     `json:"outcome" jsonschema:"succeeded, failed, cancelled, superseded or lost"`
	Reason    string     `json:"reason,omitempty" jsonschema:"kind of failure in one word, such as memory or step-failed"`
	Detail    string     `json:"detail,omitempty" jsonschema:"what failed and why, for people; without secrets"`
	Digest    string     `json:"digest,omitempty" jsonschema:"of the manifest or index that was pushed"`
	Tags      []string   `json:"tags,omitempty" jsonschema:"tags that were set to it"`
	Refused   []BuildTag `json:"refused,omitempty" jsonschema:"tags that were not"`

	Provenance string `json:"provenance,omitempty" jsonschema:"digest of the manifest that says where the image comes from: a referrer of it"`

	Repository string `json:"repository,omitempty" jsonschema:"id of the repository of the image; absent where an earlier version said it"`
}

// BuildTag is a tag that a build did not set, and why.
type BuildTag struct {
	Tag string `json:"tag"`
	Why string `json:"why" jsonschema:"for people"`
}

func (BuildFinished) EventType() string { return "build.finished.v1" }
func (e BuildFinished) Subject() string { return BuildSubject(e.Namespace, e.Build) }

// BuildLogSealed says what has become of what a build wrote. It comes behind the end
// of the build.
type BuildLogSealed struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace"`
	Build     string `json:"build" jsonschema:"id of the build"`
	Digest    string `json:"digest,omitempty" jsonschema:"of the file that has the log; absent when nothing was kept of it"`
	Size      int64  `json:"size,omitempty" jsonschema:"bytes of that file"`
	Written   int64  `json:"written,omitempty" jsonschema:"bytes that the build wrote and the file has"`

	Repository string `json:"repository,omitempty" jsonschema:"id of the repository of the image; absent where an earlier version said it"`
}

func (BuildLogSealed) EventType() string { return "build.log_sealed.v1" }
func (e BuildLogSealed) Subject() string { return BuildSubject(e.Namespace, e.Build) }

// BuildSubject is that of one build.
func BuildSubject(namespaceID, buildID string) string {
	return SubjectPrefix + namespaceID + ".build." + buildID
}
