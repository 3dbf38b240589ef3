// Package remote is what a builder on another machine and the hub say to each other:
// requests and answers, in JSON. It carries worker.Hub and worker.Queue, so that a
// builder works in the same way wherever it is.
package remote

import (
	"encoding/json"

	"hubledger/services/builder/worker"
	"hubledger/services/internal/build"
	"hubledger/services/internal/exchange"
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

// codes are the errors that a builder tells apart.
var codes = exchange.Codes{"epoch": build.ErrEpoch, "ended": build.ErrEnded, "report": build.ErrReport, "refused": worker.ErrDenied}
