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

// A Hub says how a hub is set up, as far as that matters to its users.
type Hub struct {
	DefaultVisibility             string `json:"defaultVisibility" enum:"public,private" doc:"Of a new repository when none is asked for"`
	UndeleteSeconds               int64  `json:"undeleteSeconds" doc:"How long a deletion can be undone"`
	OnlyAdminsCreateOrganizations bool   `json:"onlyAdminsCreateOrganizations" doc:"Users make no organizations"`
}

// A List is one page of a list, or all of a list that has no pages.
type List[T any] struct {
	Items []T    `json:"items" nullable:"false" doc:"What is on the page"`
	Next  string `json:"next,omitempty" doc:"Address of the next page; absent on the last"`
	Total int    `json:"total,omitempty" doc:"How many there are on all pages; absent where that is not known"`
}

// A Change answers a change that has nothing else to show.
type Change struct {
	Seq uint64 `json:"seq" doc:"Sequence of the change in the log"`
}
