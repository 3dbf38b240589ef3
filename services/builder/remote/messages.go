// Package remote is what a builder on another machine and the hub say to each other:
// requests and answers, in JSON. It carries worker.Hub and worker.Queue, so that a
// builder works in the same way wherever it is.
package remote

import (
	"encoding/json"
	"errors"
	"time"

	"hubledger/services/builder/worker"
	"hubledger/services/internal/build"
)

// Operations of a builder.
const (
	opNext  = "next"
	opRenew = "renew"
	opSay   = "say"
	opLog   = "log"
	opToken = "token"
)

type renewal struct {
	worker.Offer
	Have []worker.Claim `json:"have"`
}

type saying struct {
	worker.Claim
	Type string          `json:"type"` // of the event
	Data json.RawMessage `json:"data"`
}

type chunk struct {
	worker.Claim
	Step int    `json:"step"`
	Data []byte `json:"data"`
}

type tokenRequest struct {
	worker.Claim
	Repository string `json:"repository"`
	Push       bool   `json:"push"`
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

// codes are the errors that a builder tells apart.
var codes = map[string]error{"epoch": build.ErrEpoch, "ended": build.ErrEnded, "report": build.ErrReport, "refused": worker.ErrDenied}

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
