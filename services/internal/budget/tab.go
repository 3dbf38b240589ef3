package budget

import (
	"context"
	"errors"
	"time"
)

// A Tab is what one request uses. A nil Tab has no bounds. It is used by the
// goroutine that serves the request.
type Tab struct {
	limits    *Limits
	cost      Cost
	network   *party
	account   *party // nil until it is known, and for a request without one
	admin     bool
	unlimited bool
	working   bool        // has a place
	known     bool        // had an account when it got the place
	worked    bool        // had one: a request takes one place
	wrote     bool        // an event was to be appended
	parts     [costs]bool // of which it has a place beside
	held      int64       // of Memory
	holder    *party
}

type tabKey struct{}

// With adds a tab to the context of its request.
func With(ctx context.Context, t *Tab) context.Context { return context.WithValue(ctx, tabKey{}, t) }

// Of is the tab of a request, nil when it has none.
func Of(ctx context.Context) *Tab {
	t, _ := ctx.Value(tabKey{}).(*Tab)
	return t
}

// payer is who is counted in the line and for memory.
func (t *Tab) payer() *party {
	if t.account != nil {
		return t.account
	}
	return t.network
}

// Work waits for a place to work in. Call it when everything that a slow client
// sends has been read, and before anything that costs time or memory; further
// calls do nothing. The wait ends with ctx. *ExceededError, or the cause of ctx's end.
func (t *Tab) Work(ctx context.Context) error {
	if t == nil || t.unlimited || t.worked || t.limits.gates[t.cost] == nil {
		return nil
	}
	t.known = t.account != nil
	err := t.wait(ctx, t.cost, t.known)
	t.working, t.worked = err == nil, true
	return err
}

// Part waits for a place for a part of the request's work that is of another Cost, such
// as what a page asks the API for; leave gives it back. Only a Cost of which less may be
// done at once than of the request's own has places of its own here: so a request that
// has a place waits only for those which never wait for it. A part of a part needs no
// further place of the same Cost: it would wait for itself. The error is that of Work.
func (t *Tab) Part(ctx context.Context, cost Cost) (leave func(), err error) {
	if t == nil || t.unlimited || t.limits.gates[cost] == nil || classes[t.cost].places > 0 && classes[cost].places >= classes[t.cost].places || t.parts[cost] {
		return func() {}, nil
	}
	known := t.account != nil
	if err := t.wait(ctx, cost, known); err != nil {
		return nil, err
	}
	t.parts[cost] = true
	return func() {
		t.parts[cost] = false
		t.limits.gates[cost].leave(known)
	}, nil
}

// wait waits for a place of a Cost.
func (t *Tab) wait(ctx context.Context, cost Cost, known bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, maxWait, errLate)
	defer cancel()
	err := t.limits.gates[cost].enter(ctx, t.payer(), known)
	if errors.Is(err, errLate) {
		return &ExceededError{"the hub has too much to do for others", time.Second}
	}
	return err
}

var errLate = errors.New("waited too long for a place to work in")

// Answering gives the place back: what is left is up to the client.
func (t *Tab) Answering() {
	if t == nil || !t.working {
		return
	}
	t.working = false
	t.limits.gates[t.cost].leave(t.known)
}

// free is how many bytes a request may hold without being counted: small ones
// are never refused.
const free = 16 << 10

// Hold says that a request holds so many more bytes of memory until it is served:
// those of a body, before it is read, or of an answer that no other request
// shares. *ExceededError.
func (t *Tab) Hold(bytes int64) error {
	if t == nil || t.unlimited || bytes <= free || t.limits.Memory <= 0 {
		return nil
	}
	l, p := t.limits, t.payer()
	if t.holder != nil {
		p = t.holder
	}
	switch {
	case p.held.Add(bytes) > l.Memory/4:
		p.held.Add(-bytes)
		return &ExceededError{"too many bytes in your requests and answers at once", time.Second}
	case l.held.Add(bytes) > l.Memory:
		p.held.Add(-bytes)
		l.held.Add(-bytes)
		return &ExceededError{"too many bytes in requests and answers at once", time.Second}
	}
	t.holder, t.held = p, t.held+bytes
	return nil
}

// Close says that the request is served.
func (t *Tab) Close() {
	if t == nil {
		return
	}
	t.Answering()
	if t.held > 0 {
		t.limits.held.Add(-t.held)
		t.holder.held.Add(-t.held)
		t.held = 0
	}
	t.network.atOnce[t.cost].Add(-1)
	if t.account != nil {
		t.account.atOnce[t.cost].Add(-1)
	}
}

// wait is a duration in which so much grows at a rate of a second, at least a second.
func wait(missing, rate float64) time.Duration {
	return max(time.Second, time.Duration(missing/rate*float64(time.Second)))
}
