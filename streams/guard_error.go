package streams

import (
	"fmt"
	"strings"
)

// A Reason is what the guard found, as a word that programs can match.
type Reason string

const (
	ReasonMissing    Reason = "missing"    // the stream is gone
	ReasonConfig     Reason = "config"     // its configuration was changed from outside
	ReasonGeneration Reason = "generation" // it is not the log that this directory belongs to
	ReasonBehind     Reason = "behind"     // it ends before what was already read from it
	ReasonLost       Reason = "lost"       // the server cannot read some of its events
	ReasonDamaged    Reason = "damaged"    // its files do not hold what was written
	ReasonDiffers    Reason = "differs"    // an event is not the one that the journal knows
	ReasonJournal    Reason = "journal"    // the journal is not whole itself
	ReasonLock       Reason = "lock"       // the lock on the data directory was taken away
	ReasonWrite      Reason = "write"      // the server cannot write to its files
	ReasonSigned     Reason = "signed"     // it is not the log of which a checkpoint was signed
)

// A GuardError says why the log is not to be trusted, and what the operator can do.
type GuardError struct {
	Reason Reason
	Detail string // what exactly was found
	Advice string // what the operator does now
}

func (e *GuardError) Error() string {
	return fmt.Sprintf("log guard: %s (%s). %s", e.Detail, e.Reason, e.Advice)
}

// ExitCode is the exit status of a command that fails for this reason: 3, where
// other failures have 1 and wrong usage has 2.
func (e *GuardError) ExitCode() int { return 3 }

func guardError(r Reason, format string, v ...any) *GuardError {
	return &GuardError{Reason: r, Detail: fmt.Sprintf(format, v...), Advice: advice[r]}
}

// NotAsSigned is the reason for which a log is read-only that is not the one of which a
// checkpoint was signed; detail says what exactly was found.
func NotAsSigned(detail error) *GuardError { return guardError(ReasonSigned, "%v", detail) }

func configError(diff []string) *GuardError {
	return guardError(ReasonConfig, "the stream's configuration is not as defined: %s", strings.Join(diff, "; "))
}

const adviceRestore = "Stop the server and rebuild the log from the journal with `hubledger events restore`; " +
	"the files as they are now are kept aside."

var advice = map[Reason]string{
	ReasonMissing:    adviceRestore,
	ReasonConfig:     "Someone changed the stream. Stop the server and rebuild the log from the journal with `hubledger events restore`, which also proves that no event was removed.",
	ReasonGeneration: "Put the directory back that belongs to this log, or stop the server and rebuild the log from the journal with `hubledger events restore`.",
	ReasonBehind:     "If an older copy of the data directory was put back, put the newer one there. Otherwise: " + adviceRestore,
	ReasonLost:       adviceRestore,
	ReasonDamaged:    "Check the disk. " + adviceRestore,
	ReasonDiffers:    adviceRestore,
	ReasonJournal:    "Build the journal anew with `hubledger projections prepare` and start again.",
	ReasonLock:       "Make sure that no other server runs on this data directory, then start the server again.",
	ReasonSigned: "Stop the server and run `hubledger verify`, which names the first event that is not as it was; put the data directory back as it was. " +
		"If only the files in proofs/ are damaged, put those back.",
	ReasonWrite: "See that the disk is sound and has space, then start the server again.",
}
