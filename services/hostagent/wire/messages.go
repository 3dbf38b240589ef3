// Package wire is what a host and the hub say to each other: requests and answers, in
// JSON.
package wire

import (
	"errors"

	"hubledger/services/internal/exchange"
	"hubledger/services/internal/hosting"
)

// Operations of a host.
const (
	opSync     = "sync"
	opObserved = "observed"
	opToken    = "token"
	opLook     = "look"
	opTold     = "told"
)

var (
	// ErrBusy: a host asks more often than it may.
	ErrBusy = errors.New("this host asks too often and has to wait")
	// ErrReport: what a host says is no report.
	ErrReport = errors.New("the report of this host is malformed")
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

// question has none when nobody has asked for a while.
type question struct {
	Look *hosting.Look `json:"look,omitempty"`
}

type told struct {
	ID    string        `json:"id"`
	Sight hosting.Sight `json:"sight"`
}

type tokenRequest struct {
	Repository string `json:"repository"`
}

// codes are the errors that a host tells apart.
var codes = exchange.Codes{"busy": ErrBusy, "report": ErrReport, "denied": ErrDenied}
