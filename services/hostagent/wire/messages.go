// Package wire is what a host and the hub say to each other: requests and answers, in
// JSON.
package wire

import (
	"encoding/json"
	"errors"
	"time"

	"hubledger/services/internal/hosting"
)

// Operations of a host.
const (
	opSync     = "sync"
	opObserved = "observed"
	opToken    = "token"
)

var (
	// ErrBusy: a host asks more often than it may.
	ErrBusy = errors.New("this host asks too often: it is to wait")
	// ErrReport: what a host says is no report.
	ErrReport = errors.New("the report of this host is not as it is to be")
	// ErrDenied: a host may not pull from a repository.
	ErrDenied = errors.New("this host may not pull from that repository")
	// ErrRevoked: the hub does not let the host in.
	ErrRevoked = errors.New("this host was revoked")
)

// position is which state a host has.
type position struct {
	Generation string `json:"generation"`
	Epoch      uint64 `json:"epoch"`
}

// desired has no state when the host has it already.
type desired struct {
	State *hosting.State `json:"state,omitempty"`
}

type tokenRequest struct {
	Repository string `json:"repository"`
}

type token struct {
	Token string        `json:"token"`
	Lasts time.Duration `json:"lasts"` // nanoseconds: the clocks of two machines differ
}

// An answer has an error or a value.
type answer struct {
	Error *failure        `json:"error,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
}

type failure struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// codes are the errors that a host tells apart.
var codes = map[string]error{"busy": ErrBusy, "report": ErrReport, "denied": ErrDenied}

// failed is the code of every other error: the hub could not do it now.
const failed = "failed"

func failureOf(err error) *failure {
	for code, known := range codes {
		if errors.Is(err, known) {
			return &failure{code, err.Error()}
		}
	}
	return &failure{failed, "the hub could not do it"} // the cause is the hub's own business
}

// A remoteError is what the hub has answered.
type remoteError struct {
	text string
	kind error // of codes; nil: it may work when it is tried again
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.kind }
