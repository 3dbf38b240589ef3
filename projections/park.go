package projections

import (
	"errors"
	"fmt"

	"hubledger/events"
)

// ErrParked is returned by Wait for an event that the projection could not
// apply, or that came after such a one on the same aggregate. The cure is a
// new version of the projection.
var ErrParked = errors.New("the projection could not apply the event")

// Parked is an event that a projection skipped.
type Parked struct {
	Seq     uint64
	Subject string // the aggregate: all its later events are skipped, too
	Type    string
	Reason  string
}

// A dataError is an error that another try cannot cure: the data is to blame,
// not the disk or the network.
type dataError struct{ err error }

func (e dataError) Error() string { return e.err.Error() }
func (e dataError) Unwrap() error { return e.err }

// parking knows the aggregates that are parked, by subject, with the sequence
// of the event that was poison.
type parking map[string]uint64

// park returns the record for an event that could not be applied.
func park(e *events.Event, reason error) Parked {
	return Parked{e.Seq, e.Subject, e.Type(), reason.Error()}
}

// skip returns the record for an event whose aggregate is parked.
func (p parking) skip(e *events.Event) (Parked, bool) {
	if len(p) == 0 {
		return Parked{}, false
	}
	first, ok := p[e.Subject]
	if !ok {
		return Parked{}, false
	}
	return park(e, fmt.Errorf("event %d of the same aggregate is parked", first)), true
}

// load takes records in, in any order.
func (p parking) load(list []Parked) {
	for _, r := range list {
		if first, ok := p[r.Subject]; !ok || r.Seq < first {
			p[r.Subject] = r.Seq
		}
	}
}
