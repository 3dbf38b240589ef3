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

// Row is the record as a row of a store's table _parked.
func (p Parked) Row() []Value {
	return []Value{IntValue(int64(p.Seq)), BytesValue([]byte(p.Subject)), TextValue(p.Type), TextValue(p.Reason)}
}

// A DataError is a store's error that another try cannot cure: the data is to
// blame, not the disk or the network.
type DataError struct{ Err error }

func (e DataError) Error() string { return e.Err.Error() }
func (e DataError) Unwrap() error { return e.Err }

// parking holds the aggregates that are parked, by subject, with the sequence
// of the first event that could not be applied.
type parking map[string]uint64

// park returns the record for an event that could not be applied.
func park(e *events.Event, reason error) Parked {
	return Parked{e.Seq, e.Subject, e.Type(), reason.Error()}
}

// skip returns the record for an event whose aggregate is parked, nil for others.
func (p parking) skip(e *events.Event) *Parked {
	if len(p) == 0 {
		return nil
	}
	first, ok := p[e.Subject]
	if !ok {
		return nil
	}
	record := park(e, fmt.Errorf("event %d of the same aggregate is parked", first))
	return &record
}

// add takes records in, in any order.
func (p parking) add(list ...Parked) {
	for _, r := range list {
		if first, ok := p[r.Subject]; !ok || r.Seq < first {
			p[r.Subject] = r.Seq
		}
	}
}
