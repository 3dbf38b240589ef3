package restore

import (
	"errors"
	"fmt"
)

// Known is what somebody knows about how long a log was.
type Known struct {
	// Who knows it, such as "projection images".
	Who string
	// Generation is the id of the log's generation; what is known about other
	// generations does not count.
	Generation string
	// Seq is the sequence of an event that the log has had.
	Seq uint64
}

// A LossError says that a restored log would have fewer events than the old one
// had, or that it cannot be known, because there is no copy. Nothing was changed.
type LossError struct {
	Events  uint64 // that the restored log would have
	Last    uint64 // the highest sequence that the old one is known to have had
	Witness string // what knows that sequence
}

func (e *LossError) Error() string {
	const advice = "Nothing was changed. If there is a newer copy of the log or of the projections, put it back first"
	if e.Events >= e.Last {
		return fmt.Sprintf("there is no journal, by which the %d events that would be restored can be compared and completed. %s. "+
			"To do without, run the command again with --accept-loss", e.Events, advice)
	}
	n, what := e.Last-e.Events, fmt.Sprintf("1 event (%d)", e.Last)
	if n > 1 {
		what = fmt.Sprintf("%d events (%d to %d)", n, e.Events+1, e.Last)
	}
	return fmt.Sprintf("%s would be lost: the restored log would end at event %d, but %s had event %d. %s. "+
		"To give the events up, run the command again with --accept-loss", what, e.Events, e.Witness, e.Last, advice)
}

// ErrForeign: the copy of the events is not one of this log.
var ErrForeign = errors.New("the journal is of another log")
