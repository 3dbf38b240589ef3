// Package apitypes has what goes over the wire of the hub's API, once for the
// server, the command line and pages: requests and answers of /api/v1 as plain
// structs. Their tags are the OpenAPI document's, which calls each by the name
// that it has here.
package apitypes

import "time"

// SequenceHeader names the header with the sequence of a change in the log.
const SequenceHeader = "Hubledger-Sequence"

// Known is a time that may not have been: nil for the zero time.
func Known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
