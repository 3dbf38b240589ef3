// Package quiet bounds what the process writes to its own log: how long a text in
// it is, and how often it says the same kind of thing. Otherwise anybody who can
// make a request fail fills the disk.
package quiet

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	// maxText bounds a text, in bytes, and maxStack one that is named stackKey.
	maxText  = 300
	maxStack = 4 << 10
	stackKey = "stack"
	// burst is how many records of one kind are written in a period.
	burst  = 50
	period = 10 * time.Second
	// maxCauses is how many errors are written in a period beyond burst, each by a
	// cause that no other of these had: what clients bring about again and again
	// hides no failure of the disk that has the same message.
	maxCauses = 20
	// maxKinds bounds the kinds that are counted apart: a kind is a level and a message.
	maxKinds = 1000
)

// New bounds what reaches a handler.
func New(to slog.Handler) slog.Handler {
	return &handler{to: to, shared: &counts{kinds: map[kind]*count{}}}
}

type handler struct {
	to     slog.Handler
	shared *counts
}

type kind struct {
	level   slog.Level
	message string
}

// counts are those of a handler and of all that With made of it.
type counts struct {
	mu    sync.Mutex
	kinds map[kind]*count
}

type count struct {
	since      time.Time
	n          int
	suppressed int
	causes     map[string]bool // of what was written beyond burst
}

// Enabled is of slog.Handler.
func (h *handler) Enabled(ctx context.Context, l slog.Level) bool { return h.to.Enabled(ctx, l) }

// WithAttrs is of slog.Handler.
func (h *handler) WithAttrs(list []slog.Attr) slog.Handler {
	bounded := make([]slog.Attr, len(list))
	for k, a := range list {
		bounded[k] = short(a)
	}
	return &handler{h.to.WithAttrs(bounded), h.shared}
}

// WithGroup is of slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.to.WithGroup(name), h.shared}
}

// Handle is of slog.Handler. The first record of a kind after others were suppressed
// says how many.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, cut(r.Message), r.PC)
	var cause string
	r.Attrs(func(a slog.Attr) bool {
		a, of := short(a), a.Value.Resolve()
		if _, is := of.Any().(error); is && r.Level >= slog.LevelError {
			cause = a.Value.String()
		}
		out.AddAttrs(a)
		return true
	})
	suppressed, ok := h.shared.take(kind{r.Level, out.Message}, cause, r.Time)
	if !ok {
		return nil
	}
	if suppressed > 0 {
		out.AddAttrs(slog.String("before", fmt.Sprintf("%d more of this kind were suppressed", suppressed)))
	}
	return h.to.Handle(ctx, out)
}

// take counts a record; false when there were too many of its kind, and of its cause
// unless that is "". suppressed is how many of its kind were not written before it.
func (c *counts) take(k kind, cause string, now time.Time) (suppressed int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kinds[k] == nil && len(c.kinds) >= maxKinds {
		k = kind{} // all others are one kind
	}
	n := c.kinds[k]
	if n == nil {
		n = &count{since: now}
		c.kinds[k] = n
	}
	if now.Sub(n.since) >= period {
		n.since, n.n, n.causes = now, 0, nil
	}
	if n.n >= burst {
		if cause == "" || n.causes[cause] || len(n.causes) >= maxCauses {
			n.suppressed++
			return 0, false
		}
		if n.causes == nil {
			n.causes = map[string]bool{}
		}
		n.causes[cause] = true
	} else {
		n.n++
	}
	suppressed, n.suppressed = n.suppressed, 0
	return suppressed, true
}

// short is an attribute whose texts are not too long.
func short(a slog.Attr) slog.Attr {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		if a.Key == stackKey {
			return slog.String(a.Key, cutAt(v.String(), maxStack))
		}
		return slog.String(a.Key, cut(v.String()))
	case slog.KindGroup:
		list := make([]any, 0, len(v.Group()))
		for _, of := range v.Group() {
			list = append(list, short(of))
		}
		return slog.Group(a.Key, list...)
	case slog.KindAny:
		switch x := v.Any().(type) {
		case error:
			return slog.String(a.Key, cut(x.Error()))
		default:
			return slog.String(a.Key, cut(fmt.Sprint(x)))
		}
	default:
		return a
	}
}

// cut is a text of at most about maxText bytes.
func cut(s string) string { return cutAt(s, maxText) }

func cutAt(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + fmt.Sprintf("… (%d bytes)", len(s))
}
