// Package apitypes has the requests and answers of /api/v1 as plain structs, once
// for the server, the command line and pages. The OpenAPI document is made of
// them and their tags, and calls each by the name that it has here.
package apitypes

import "time"

// SequenceHeader names the header with the sequence of a change in the log.
const SequenceHeader = "Hubledger-Sequence"

// CodeHeader names the header that gives the code of a second factor beside a password. An
// answer that refuses the password alone has it, too.
const CodeHeader = "Hubledger-Code"

// Known is a pointer to a time, nil for the zero time.
func Known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
