package driver

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A Spec says what to build. It holds secrets: never log it.
type Spec struct {
	// ID names the build and the attempt on this machine: lower-case letters, digits
	// and hyphens, at most 64.
	ID string
	// Checkout is an absolute path of a directory that is only read.
	Checkout string
	// Context and Dockerfile are paths within the checkout, separated by slashes. ""
	// is the checkout, and the file Dockerfile in the context.
	Context, Dockerfile string
	Target              string            // stage; "" is the last
	Args                map[string]string // build arguments; they are no secrets
	Labels              map[string]string // of the image
	Platforms           []string          // such as linux/arm64; none: the builder's own
	// Secrets are mounted into the steps that ask for them, by id. Values of four
	// bytes and more are masked in events and failures.
	Secrets map[string][]byte
	// Image is the repository that the result is pushed to, by digest, with the name
	// of its registry and without a tag; "": it is not pushed.
	Image string
	// Cache is a tag of that repository that layers are taken from and, when the
	// image is pushed, written to; "": no cache is kept.
	Cache string
	// Scanner is the image that makes the SBOM of the result, which is pushed with it, by
	// its name with the registry's and its digest; "": none is made. It is run by BuildKit
	// (docs/attestations/sbom-protocol.md there).
	Scanner string
	// Network lets steps fetch from public hosts by HTTP and HTTPS, through a proxy
	// that stands in their environment (HTTP_PROXY and the like). They have no other
	// network: no other protocol, no name server, nothing of the machine or of the hub.
	Network bool
	Limits  Limits
	Facts   Facts
}

// Facts are what Docker Hub's hooks and autotests are told of a build, besides what a
// Spec has. Only a driver that runs them looks at them.
type Facts struct {
	Repository string   // with the name of its registry, also when nothing is pushed
	Tags       []string // of the rule; the first names the image
	Ref        string   // full name, such as refs/tags/v1.0
	Commit     string   // its id
	Message    string   // of the commit
	Context    string   // as the rule has it
	Tests      bool     // autotests are run; hooks are in any case
}

// Limits bound one build. A field that is zero stands for what DefaultLimits has.
type Limits struct {
	CPU    float64       // cores
	Memory int64         // bytes, of all processes
	Disk   int64         // bytes: layers, and all that is written
	PIDs   int64         // processes and threads
	Time   time.Duration // from the start
	Idle   time.Duration // without anything happening
	Log    int64         // bytes; what is more is left out
}

// DefaultLimits are those of a build that says nothing else.
var DefaultLimits = Limits{CPU: 2, Memory: 4 << 30, Disk: 20 << 30, PIDs: 4096,
	Time: 4 * time.Hour, Idle: 30 * time.Minute, Log: 64 << 20}

var (
	idPattern       = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	secretPattern   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	argPattern      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,254}$`)
	platformPattern = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?$`)
	imagePattern    = regexp.MustCompile(`^(\[[0-9a-f:]+\]|[a-zA-Z0-9.-]+)(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$`)
	tagPattern      = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	pinnedPattern   = regexp.MustCompile(`^(.+)@sha256:[0-9a-f]{64}$`)
	targetPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)
)

// What a specification may have at most.
const (
	maxPairs   = 500       // build arguments, labels, secrets
	maxText    = 64 << 10  // bytes of one of them
	maxSecret  = 512 << 10 // bytes of a secret: BuildKit takes no more
	maxSecrets = 4 << 20   // bytes of all secrets
)

// Check says what is wrong with a specification, without looking at files. The
// zero limits of s get their defaults.
func (s *Spec) Check() error {
	s.Limits = s.Limits.withDefaults()
	switch {
	case !idPattern.MatchString(s.ID):
		return fmt.Errorf("the id of a build is lower-case letters, digits and hyphens, at most 64: %.80q is not", s.ID)
	case s.Target != "" && !targetPattern.MatchString(s.Target):
		return fmt.Errorf("%.150q is no name of a stage", s.Target)
	case s.Image != "" && (!imagePattern.MatchString(s.Image) || len(s.Image) > 512):
		return fmt.Errorf("%.150q is no repository: write registry/namespace/name", s.Image)
	case s.Cache != "" && s.Image == "":
		return errors.New("a cache needs an image, in whose repository it is")
	case s.Cache != "" && !tagPattern.MatchString(s.Cache):
		return fmt.Errorf("%.150q is no tag", s.Cache)
	}
	if err := s.checkScanner(); err != nil {
		return err
	}
	if len(s.Platforms) > 16 {
		return errors.New("a build is for at most 16 platforms")
	}
	for _, p := range s.Platforms {
		if !platformPattern.MatchString(p) {
			return fmt.Errorf("%.80q is no platform: write one such as linux/arm64", p)
		}
	}
	if err := checkPairs("build argument", s.Args, argPattern); err != nil {
		return err
	}
	if err := checkPairs("label", s.Labels, nil); err != nil {
		return err
	}
	return s.checkSecrets()
}

func (s *Spec) checkScanner() error {
	if s.Scanner == "" {
		return nil
	}
	name := pinnedPattern.FindStringSubmatch(s.Scanner)
	switch {
	case name == nil || !imagePattern.MatchString(name[1]) || len(s.Scanner) > 1024:
		return fmt.Errorf("%.150q is no scanner: write registry/namespace/name@sha256:…", s.Scanner)
	case s.Image == "":
		return errors.New("an SBOM needs an image that it is pushed with")
	}
	return nil
}

// ErrNetwork: a build wants a network, which this builder does not give.
var ErrNetwork = errors.New("this builder gives builds no network: fetch what is needed in the base image or the repository")

func checkPairs(what string, pairs map[string]string, name *regexp.Regexp) error {
	if len(pairs) > maxPairs {
		return fmt.Errorf("a build has at most %d of each: there are %d of %s", maxPairs, len(pairs), what)
	}
	for k, v := range pairs {
		switch {
		case name != nil && !name.MatchString(k), k == "", len(k) > 1024, strings.ContainsAny(k, "=\x00"):
			return fmt.Errorf("%.80q is no name of a %s", k, what)
		case len(v) > maxText:
			return fmt.Errorf("the %s %.80q has %d bytes: at most %d", what, k, len(v), maxText)
		case strings.ContainsRune(v, 0):
			return fmt.Errorf("the %s %.80q has a NUL in its value", what, k)
		}
	}
	return nil
}

func (s *Spec) checkSecrets() error {
	var sum int
	for id, value := range s.Secrets {
		if !secretPattern.MatchString(id) {
			return fmt.Errorf("%.80q is no id of a secret", id)
		}
		if len(value) > maxSecret {
			return fmt.Errorf("the secret %q has %d bytes: at most %d", id, len(value), maxSecret)
		}
		sum += len(value)
	}
	if len(s.Secrets) > maxPairs || sum > maxSecrets {
		return fmt.Errorf("a build has at most %d secrets of together %d bytes", maxPairs, maxSecrets)
	}
	return nil
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits
	set(&l.CPU, d.CPU)
	set(&l.Memory, d.Memory)
	set(&l.Disk, d.Disk)
	set(&l.PIDs, d.PIDs)
	set(&l.Time, d.Time)
	set(&l.Idle, d.Idle)
	set(&l.Log, d.Log)
	return l
}

func set[T int64 | float64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
