package builder

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"hubledger/projections/builds"
	"hubledger/services/builder/queue"
	"hubledger/services/builder/worker"
)

// How long a builder may be silent. Only the hub's own monotonic clock counts.
const (
	// present is how long after it was heard a builder is given builds.
	present = 5 * time.Second
	// lease is how long after it was heard, or after the hub has started, a builder
	// keeps the builds that it has. A builder stops them before: worker.Unheard.
	lease = time.Minute
	// arriving is how long a builder may not know yet of a build that it was given.
	arriving = 10 * time.Second
	// lastWords is how long after a build has ended its builder may add to the log.
	lastWords = time.Minute
	// askFor is how long a builder waits for a build before it asks again.
	askFor = 20 * time.Second
)

// A station is a builder as the queue knows it.
type station struct {
	offer worker.Offer
	heard time.Time
	there func() bool               // whether it is connected
	gone  bool                      // it was revoked
	have  map[worker.Claim]bool     // that it said it has
	given map[worker.Claim]*givenTo // builds that it was given since the hub has started
	ask   chan<- *worker.Assignment // of the Next that waits; nil: none
}

// givenTo bounds what a builder says of a build that it was given.
type givenTo struct {
	at    time.Time
	ended time.Time // when it was first seen not to run any more
	said  int       // events
	wrote int64     // bytes of the log
}

// stations are all builders of the hub, by their names in the log.
type stations struct {
	mu      sync.Mutex
	began   time.Time
	all     map[string]*station
	running map[worker.Claim]string // builds that run, with their builders; nil: not known yet
	asked   chan struct{}           // has an element when a builder asks for a build
}

func newStations() *stations {
	return &stations{began: time.Now(), all: map[string]*station{}, asked: make(chan struct{}, 1)}
}

// of is the station of a name. Call it with mu held.
func (s *stations) of(name string) *station {
	st := s.all[name]
	if st == nil {
		st = &station{given: map[worker.Claim]*givenTo{}}
		s.all[name] = st
	}
	return st
}

// able are the builders that can be given builds; with asking only those that ask.
func (s *stations) able(asking bool) (list []queue.Builder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, st := range s.all {
		if st.present() && (!asking || st.ask != nil) {
			list = append(list, queue.Builder{Name: name, Platforms: st.offer.Platforms, Places: st.offer.Places, Hooks: st.offer.Hooks})
		}
	}
	slices.SortFunc(list, func(a, b queue.Builder) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// present says whether a builder can be given builds.
func (st *station) present() bool {
	return !st.gone && st.offer.Places > 0 && time.Since(st.heard) < present && st.there()
}

// admit forgets an earlier builder of that name.
func (s *stations) admit(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, name)
}

// saw takes note of the builds that run, and returns those whose builders have lost
// them.
func (s *stations) saw(running []builds.Build) (lost []builds.Build) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = make(map[worker.Claim]string, len(running))
	for _, b := range running {
		c := worker.Claim{Build: b.ID, Epoch: b.Epoch}
		s.running[c] = b.Builder
		if s.has(b.Builder, c) {
			continue
		}
		lost = append(lost, b)
	}
	for _, st := range s.all {
		for c, g := range st.given {
			_, runs := s.running[c]
			switch {
			case runs:
			case g.ended.IsZero():
				g.ended = time.Now()
			case time.Since(g.ended) > lastWords:
				delete(st.given, c)
			}
		}
	}
	return lost
}

// has says whether a builder still has a build that runs.
func (s *stations) has(name string, c worker.Claim) bool {
	st := s.all[name]
	switch {
	case st != nil && st.gone:
		return false
	case st == nil || st.heard.IsZero(): // it may have asked for a build, and not said yet what it has
		return time.Since(s.began) < lease
	case st.have[c]:
		return time.Since(st.heard) < lease
	}
	given := st.given[c]
	return given != nil && time.Since(given.at) < arriving
}

// asks says whether a builder asks for a build.
func (s *stations) asks(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.all[name]
	return st != nil && !st.gone && st.ask != nil
}

// give hands a build over; false when the builder does not ask any more.
func (s *stations) give(name string, a *worker.Assignment) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.all[name]
	if st == nil || st.gone || st.ask == nil {
		return false
	}
	st.given[a.Claim] = &givenTo{at: time.Now()}
	s.running[a.Claim] = name
	st.ask <- a
	st.ask = nil
	return true
}

// next waits until a builder is given a build.
func (s *stations) next(ctx context.Context, name string) *worker.Assignment {
	given := make(chan *worker.Assignment, 1)
	s.mu.Lock()
	s.of(name).ask = given
	s.mu.Unlock()
	select {
	case s.asked <- struct{}{}:
	default:
	}
	select {
	case a := <-given:
		return a
	case <-ctx.Done():
	case <-time.After(askFor):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case a := <-given:
		return a
	default:
	}
	if st := s.all[name]; st != nil && st.ask == given {
		st.ask = nil
	}
	return nil
}

// renew takes note of what a builder says of itself, and returns those of its builds
// that it does not have any more.
func (s *stations) renew(name string, there func() bool, o worker.Offer, have []worker.Claim) (gone []worker.Claim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.of(name)
	st.there, st.offer, st.heard, st.have = there, o, time.Now(), make(map[worker.Claim]bool, len(have))
	if o.Places == 0 {
		st.ask = nil
	}
	for _, c := range have {
		st.have[c] = true
		if s.running != nil && s.running[c] != name {
			gone = append(gone, c)
		}
	}
	return gone
}

// cut takes from a builder that was revoked what it has.
func (s *stations) cut(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of(name).gone = true
}

// charge counts an event and bytes of the log that a builder says of a build, and says
// whether that is still within bounds.
func (s *stations) charge(name string, c worker.Claim, said int, wrote int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.of(name)
	g := st.given[c]
	if g == nil { // given before the hub has started
		g = &givenTo{}
		st.given[c] = g
	}
	g.said, g.wrote = g.said+said, g.wrote+int64(wrote)
	return g.said <= maxSaid && g.wrote <= maxWritten
}
