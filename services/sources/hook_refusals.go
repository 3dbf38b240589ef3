package sources

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
)

// refusalsEvery is the period whose refused webhooks one event of a source counts.
const refusalsEvery = 5 * time.Minute

// Bounds of what is counted apart in one period.
const (
	maxRefusedSources = 10_000
	maxRefusedFrom    = 1_000 // networks of one source
)

// refusals counts the webhooks that were refused since a time, by source. Those for
// sources that do not exist are in the metrics only.
type refusals struct {
	mu   sync.Mutex
	from time.Time
	of   map[string]*refusal
}

type refusal struct {
	namespace string
	from      time.Time // when the period began
	requests  int64
	networks  map[netip.Prefix]struct{}
}

func newRefusals(now time.Time) *refusals { return &refusals{from: now, of: map[string]*refusal{}} }

func (r *refusals) count(of *builds.Source, addr netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.of[of.ID]
	if f == nil {
		if len(r.of) >= maxRefusedSources {
			return
		}
		f = &refusal{namespace: of.Namespace, from: r.from, networks: map[netip.Prefix]struct{}{}}
		r.of[of.ID] = f
	}
	f.requests++
	if len(f.networks) < maxRefusedFrom {
		f.networks[budget.Network(addr)] = struct{}{}
	}
}

// take ends a period and begins the next one.
func (r *refusals) take(now time.Time) map[string]*refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.of
	r.of, r.from = map[string]*refusal{}, now
	return taken
}

// addBack adds what could not be recorded to the present period.
func (r *refusals) addBack(source string, f *refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.of[source]; now != nil {
		f.requests += now.requests
		for network := range now.networks {
			if len(f.networks) < maxRefusedFrom {
				f.networks[network] = struct{}{}
			}
		}
	}
	r.of[source] = f
}

// now is what was refused of a source since the period began, nil for nothing.
func (r *refusals) now(source string) *builds.Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.of[source]
	if f == nil {
		return nil
	}
	return &builds.Refusal{Requests: f.requests, Networks: int64(len(f.networks)), Until: time.Now().UTC()}
}

// recordRefusals appends one event for each source whose webhooks were refused since
// it last did so.
func (s *Sources) recordRefusals(ctx context.Context) error {
	now := time.Now()
	var errs []error
	for id, f := range s.refused.take(now) {
		_, err := command.Append(ctx, s.Log, command.By{Source: source, Actor: "system"}, events.HookRefused{Namespace: f.namespace, Source: id, Node: s.Store.Node(),
			From: f.from.UTC(), Until: now.UTC(), Requests: f.requests, Addresses: int64(len(f.networks))}, events.AnySeq)
		if err != nil {
			s.refused.addBack(id, f)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// stop records what was refused last.
func (s *Sources) stop(ctx context.Context) error {
	if err := s.recordRefusals(ctx); err != nil && !errors.Is(err, events.ErrReadOnly) {
		return err
	}
	return nil
}
