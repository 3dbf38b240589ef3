// Package fleet has what hosts were seen to be last, in memory: who plans for them and who
// drives deployments asks it. A restart of the hub loses it, and hosts say it again.
package fleet

import (
	"strings"
	"sync"
	"time"

	"hubledger/services/internal/deployment"
	"hubledger/services/internal/hosting"
)

// Silence is how long after it was heard a host is taken to be as it was seen. It is grey then.
const Silence = 30 * time.Second

// maxHosts bounds the hosts that are remembered: the one that was not heard for the longest time
// goes first, such as one that was revoked. Those beyond that are all heard are not remembered.
const maxHosts = 2000

// A Fleet is all hosts. The zero value is not good: New.
type Fleet struct {
	// Woken has an element when a host was heard.
	Woken chan struct{}

	began time.Time

	mu      sync.Mutex
	hosts   map[string]*host
	changed map[string]chan struct{}
}

type host struct {
	at time.Time
	o  hosting.Observation
}

// New is an empty fleet.
func New() *Fleet {
	return &Fleet{Woken: make(chan struct{}, 1), hosts: map[string]*host{}, changed: map[string]chan struct{}{}, began: time.Now()}
}

// Observed takes what a host sees. False: there is no room for one more host.
func (f *Fleet) Observed(id string, o hosting.Observation) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hosts[id]
	if h == nil {
		if len(f.hosts) >= maxHosts && !f.forget() {
			return false
		}
		h = &host{}
		f.hosts[id] = h
	}
	h.at, h.o = time.Now(), o
	f.Wake()
	return true
}

// forget forgets the host that was not heard for the longest time; false: all are heard. Call
// it with mu held.
func (f *Fleet) forget() bool {
	oldest := ""
	for id, h := range f.hosts {
		if oldest == "" || h.at.Before(f.hosts[oldest].at) {
			oldest = id
		}
	}
	if time.Since(f.hosts[oldest].at) < Silence {
		return false
	}
	delete(f.hosts, oldest)
	return true
}

// Wake has the fleet looked at.
func (f *Fleet) Wake() {
	select {
	case f.Woken <- struct{}{}:
	default:
	}
}

// Changed is closed when Change is called next for a host.
func (f *Fleet) Changed(id string) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.changed[id]
	if c == nil {
		c = make(chan struct{})
		f.changed[id] = c
	}
	return c
}

// Change tells whoever waits that the states of these hosts may have changed.
func (f *Fleet) Change(ids ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		if c := f.changed[id]; c != nil {
			close(c)
			delete(f.changed, id)
		}
	}
}

// ChangeAll is Change for every host.
func (f *Fleet) ChangeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, c := range f.changed {
		close(c)
		delete(f.changed, id)
	}
}

// Watch is what is seen for an environment now.
func (f *Fleet) Watch(s deployment.State) deployment.Watch {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	w := deployment.Watch{Hosts: map[string]hosting.Observation{}, Early: now.Sub(f.began) < Silence}
	for _, side := range s.Sides {
		for _, placed := range deployment.Hosts(side.Placement) {
			if h := f.hosts[placed.Machine]; h != nil && now.Sub(h.at) < Silence {
				w.Hosts[placed.Machine] = h.o
			}
		}
	}
	return w
}

// DeploymentOf is the id of the deployment that brought a container, by the id of the container, in
// full or by its first twelve digits; "" when no host has reported it.
func (f *Fleet) DeploymentOf(container string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.hosts {
		for _, slot := range h.o.Slots {
			for _, c := range slot.Containers {
				if c.ID != "" && (strings.HasPrefix(container, c.ID) || strings.HasPrefix(c.ID, container)) {
					return slot.Deployment
				}
			}
		}
	}
	return ""
}

// Heard is how long ago a host was heard, and what it saw then; false: not since the hub
// has started.
func (f *Fleet) Heard(id string) (time.Duration, hosting.Observation, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hosts[id]
	if h == nil {
		return 0, hosting.Observation{}, false
	}
	return time.Since(h.at), h.o, true
}
