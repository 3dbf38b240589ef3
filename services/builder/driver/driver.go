// Package driver says what a driver of builds does: it turns a checkout into an
// image, in an environment that is thrown away, and tells what happens step by step.
package driver

import (
	"context"

	"hubledger/events"
)

// A Driver makes environments for builds on this machine.
type Driver interface {
	// Prepare makes what a build needs; nothing of it runs yet. A *Failure, or an
	// error that says what is wrong with the specification. After an error nothing
	// is left.
	Prepare(ctx context.Context, s Spec) (Build, error)
}

// A Build is one attempt at an image. It is run once.
type Build interface {
	// Run builds and pushes, and hands over what happens, in order and from one
	// goroutine. It returns when nothing of the build runs any more: with a *Failure
	// unless the image was pushed. The end of ctx is a failure of the kind Cancelled.
	Run(ctx context.Context, emit func(Event)) (Result, error)
	// Cancel ends the build at once, whatever its processes do about signals; Run
	// then returns a failure of the kind Cancelled. It does nothing to a build that
	// has ended or not begun.
	Cancel()
	// Destroy ends the build and removes all that there is of it: processes, mounts,
	// control groups, files. Again, it does nothing. An error says what is left.
	Destroy() error
}

// A Result is what a build has made.
type Result struct {
	// Digest is that of the pushed manifest or index, such as "sha256:…"; "" when
	// nothing was to be pushed.
	Digest string
	// Bases are the images that it was made from, each once, at most
	// events.MaxBuildBases; none when the driver does not know them.
	Bases []events.BuildBase
	// Metadata is what the builder says of the image, by its own names.
	Metadata map[string]any
}
