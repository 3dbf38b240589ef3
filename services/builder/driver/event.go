package driver

import "time"

// An EventKind is what happened to a step.
type EventKind string

const (
	Began  EventKind = "began"  // the step runs
	Cached EventKind = "cached" // its result was there already: it begins and ends with this
	Log    EventKind = "log"    // it has written something
	Warned EventKind = "warned" // the builder has something to say of it
	Ended  EventKind = "ended"  // it is done
	Failed EventKind = "failed" // it is not, and the build fails
)

// Streams of a step's log.
const (
	Stdout = 1
	Stderr = 2
)

// An Event is something that happened in a build. Secrets are masked in all of it.
// A step begins once and ends at most once; a log may come after the end.
type Event struct {
	Kind EventKind
	Step int       // from 1, in the order in which they were first seen; 0: the build itself
	Name string    // of the step; with Began and Cached
	Time time.Time // by the builder's clock

	Stream int    // of a Log: Stdout or Stderr
	Data   []byte // of a Log: any bytes, not necessarily whole lines

	Text string // of Warned and Failed: one line or more
	Line int    // of Warned and Failed: of the Dockerfile, from 1; 0 when unknown
}
