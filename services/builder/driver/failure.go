package driver

import "fmt"

// A Kind tells failures apart. They are written to the log of events and never
// change their meaning.
type Kind string

const (
	Cancelled  Kind = "cancelled"    // by Cancel, or by the end of the context
	TimeLimit  Kind = "time-limit"   // it ran for longer than it may
	IdleLimit  Kind = "idle-limit"   // nothing happened for too long
	Memory     Kind = "memory"       // the kernel ended a process for lack of memory
	DiskFull   Kind = "disk-full"    // there was no space left
	Processes  Kind = "processes"    // it had as many processes as it may, and failed
	StepFailed Kind = "step-failed"  // a command ended with another status than 0
	Dockerfile Kind = "dockerfile"   // the Dockerfile is missing or wrong
	BaseImage  Kind = "base-image"   // a base image cannot be pulled
	Platform   Kind = "platform"     // this machine cannot run programs of a platform
	Network    Kind = "network"      // something was to be fetched from a network that the build has not
	Push       Kind = "push-refused" // the registry refused the image
	Source     Kind = "source"       // context, Dockerfile or another file is not in the checkout
	Secret     Kind = "secret"       // the rule names a secret that it cannot have
	NoHooks    Kind = "no-hooks"     // it has hooks or autotests, and this builder runs none
	NoSBOM     Kind = "no-sbom"      // the rule wants an SBOM, and none can be made or none was
	Broken     Kind = "builder"      // the builder itself failed; trying again may help
)

// A Failure is why a build has no image. Secrets are masked in it.
type Failure struct {
	Kind Kind
	Text string // what failed and why, for people
	Step int    // the step that failed; 0 when none did
	Line int    // of the Dockerfile, from 1; 0 when unknown
	// ExitCode is that of the command of a step, when it ended with one other than 0.
	ExitCode int
	Err      error // the cause, or nil; not for people
}

// Error is the text, with the kind before it.
func (f *Failure) Error() string { return string(f.Kind) + ": " + f.Text }

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Failuref makes a failure of a formatted text, whose %w is the cause.
func Failuref(kind Kind, format string, args ...any) *Failure {
	err := fmt.Errorf(format, args...)
	return &Failure{Kind: kind, Text: err.Error(), Err: err}
}
