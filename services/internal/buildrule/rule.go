// Package buildrule decides which refs of a git repository become which tags of
// an image. It does no I/O: a set of rules and a ref give a verdict for every rule.
// The rules mean what Docker Hub's automated builds made of them, with additions.
package buildrule

import "hubledger/services/internal/repository"

// Source types, which are also the kinds of a Ref.
const (
	Branch = "branch"
	Tag    = "tag"
)

// Autotest modes, as on Docker Hub. A test never pushes.
const (
	AutotestOff = "off" // the default
	AutotestOwn = "own" // pull requests from the same repository, and pushes when Autobuild is off
	AutotestAll = "all" // pull requests from forks as well; they get no secrets and no build args
)

// Limits of a set of rules. Lengths are bytes.
const (
	MaxRules     = 50
	MaxList      = 50 // entries of each list or map of a rule
	MaxName      = 64
	MaxSource    = repository.MaxPatternLength + 2 // with the slashes around a pattern
	MaxTemplate  = 256
	MaxPath      = 256
	MaxValue     = 4096 // of a build arg or a label
	MaxKey       = 128  // of a build arg, label, target, platform or secret's name
	MaxFileBytes = 64 << 10
)

// A Rule says which refs are built, how, and which tags the image gets. Begin with
// Defaults: its zero value has Autobuild and Cache off.
type Rule struct {
	// Name is unique in its set: lower-case letters, digits, _ and -.
	Name string `json:"name"`
	// SourceType is Branch or Tag.
	SourceType string `json:"source_type"`
	// Source is a ref's exact name without refs/heads/ or refs/tags/, or /pattern/ in
	// RE2. A pattern is searched for anywhere in the name unless it has ^ and $.
	Source string `json:"source"`
	// Tags are templates. {sourceref} is the ref's whole name, {\1} to {\9} are the
	// groups of the pattern. One build gets all tags.
	Tags []string `json:"tags"`
	// Dockerfile is a path from the root of the repository, "" for Dockerfile.
	Dockerfile string `json:"dockerfile,omitempty"`
	// Context is the directory that is sent to the build, from the root of the
	// repository; "" and "/" are the root. When it names a file, see Locate.
	Context string `json:"context,omitempty"`
	// Autobuild builds and pushes when a ref moves. Without it a ref is at most tested.
	Autobuild bool `json:"autobuild"`
	// Cache reuses layers of earlier builds.
	Cache bool `json:"cache"`
	// Autotest is one of the modes above, "" for AutotestOff.
	Autotest string `json:"autotest,omitempty"`

	Args      map[string]string `json:"args,omitempty"`      // build args
	Target    string            `json:"target,omitempty"`    // stage of the Dockerfile, "" for the last
	Platforms []string          `json:"platforms,omitempty"` // such as linux/arm64; none for the builder's own
	Labels    map[string]string `json:"labels,omitempty"`    // of the image
	// Needs names rules whose builds of the same commit come first, as far as they
	// match the ref too.
	Needs []string `json:"needs,omitempty"`
	// Paths are globs of which a changed file has to match one: * within a component,
	// ** over components, a leading ! takes files out again. The last match decides.
	// None is every file.
	Paths []string `json:"paths,omitempty"`
	// Secrets are names of secrets of the repository, never their values.
	Secrets []string `json:"secrets,omitempty"`
}

// Defaults is a rule with what Docker Hub took for granted: autobuild and build
// caching are on.
func Defaults() Rule { return Rule{Autobuild: true, Cache: true} }
