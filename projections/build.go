package projections

import (
	"errors"
	"log/slog"
)

// Build says which of the builds of one projection version a store is. They
// lie side by side; Switch makes the next one live.
type Build string

const (
	Live Build = ""     // the one in use
	Next Build = "next" // being prepared
	Prev Build = "prev" // was live before the last switch
)

// Options of a store.
type Options struct {
	Build Build
	// Generation of the log, such as a UUID. A new store notes it; one that
	// was built from another log is refused with ErrGeneration. Empty: any.
	Generation string
	// ReadOnly opens a store that another process may be writing. It must exist.
	ReadOnly bool
	Logger   *slog.Logger // nil: slog.Default()
}

var (
	// ErrGeneration: the store was built from another log.
	ErrGeneration = errors.New("the store was built from another generation of the log")
	// ErrShape: the tables were changed without a new version.
	ErrShape = errors.New("the projection's tables were changed without a new version")
	// ErrNoBuild: there is no such build.
	ErrNoBuild = errors.New("there is no such build of the projection")
	// ErrInUse: a store must be closed for this and is not.
	ErrInUse = errors.New("the store is in use")
)
