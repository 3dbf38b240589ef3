package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/services/internal/adminsocket"
)

// readyWithin bounds how long a node may take to find out whether it is ready.
const readyWithin = 2 * time.Second

// problems are why this node is not as it should be, with what to do. A node is ready
// when none of them blocks pushes.
func (n *Node) problems(ctx context.Context) (list []adminsocket.Problem) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	add := func(blocks bool, what, advice, format string, v ...any) {
		list = append(list, adminsocket.Problem{What: what, Detail: fmt.Sprintf(format, v...), Advice: advice, Blocks: blocks})
	}
	if n.leaving.Err() != nil {
		add(true, "stopping", "Start the hub again when it has ended.", "the hub was told to stop and ends its last requests")
	}
	if len(n.models.Missing()) > 0 {
		add(true, "missing projections", "Restore the log; the next start builds them.", "%s", n.mode())
	}
	switch err := n.log.Accepts(); {
	case errors.Is(err, events.ErrReadOnly):
		add(true, "read-only", "The message says what to do; see docs/log.md.", "%v", err)
	case errors.Is(err, events.ErrNoSpace):
		add(true, "no space", "Delete images and run `hubledger gc --now`, or add space. Until then only what frees space, takes rights away or locks out is accepted.",
			"%v%s", err, n.spaceDetail())
	case err != nil:
		add(true, "log", "See the hub's own log.", "%v", err)
	}
	if n.log.ReadOnly() == nil && n.rights.Fresh(ctx) != nil {
		add(true, "rights not known", "See the hub's own log: the accounts projection does not follow the log.", "the accounts are more than a second behind the log: requests with credentials are refused")
	}
	if _, _, err := n.operations.SeenLog(ctx); err != nil {
		add(true, "operational store", "See that its disk or database works.", "the operational store cannot be read: %v", err)
	}
	for _, m := range n.models.Models() {
		if m.HasParked() {
			add(false, "parked events", "`hubledger projections ls` shows them; a new version of the program may apply them.",
				"the projection %s has events that it cannot apply", m.Projection.Name)
		}
	}
	return list
}

// spaceDetail says how much is free, where that is known.
func (n *Node) spaceDetail() string {
	if left, known, err := n.space(); known && err == nil && left <= 0 {
		return fmt.Sprintf("; %d bytes are missing to the reserve of the disk of %s", 1-left, n.Data)
	}
	return ""
}

// blocked says whether one of the problems keeps pushes out.
func blocked(problems []adminsocket.Problem) bool {
	for _, p := range problems {
		if p.Blocks {
			return true
		}
	}
	return false
}

// readyz is 200 when the node can be pushed to. Details name files, so only requests
// from this machine get them.
func (n *Node) readyz(w http.ResponseWriter, r *http.Request) {
	problems := n.problems(r.Context())
	if !blocked(problems) {
		fmt.Fprintln(w, "ready")
		return
	}
	text := "not ready"
	for _, p := range problems {
		if !p.Blocks {
			continue
		}
		if text += "\n" + p.What; fromThisMachine(r) {
			text += ": " + p.Detail + ". " + p.Advice
		}
	}
	http.Error(w, text, http.StatusServiceUnavailable)
}
