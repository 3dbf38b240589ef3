package budget

import (
	"context"
	"slices"
	"sync"
)

// A gate bounds how many requests work at the same time. Those that wait get a
// place in turn of their clients, so that one client's many requests do not keep
// another's one. A quarter of the places is kept for clients with an account.
type gate struct {
	mu        sync.Mutex
	places    int
	strangers int // at most so many places are for requests without an account
	taken     [2]int
	lines     [2][]*line // those who wait: without and with an account
	turn      int        // which of lines comes next
}

// A line is the requests of one client that wait.
type line struct {
	of    *party
	turns []chan struct{} // closed when the place is there
}

func newGate(places int) *gate { return &gate{places: places, strangers: max(1, places-places/4)} }

func rank(known bool) int {
	if known {
		return 1
	}
	return 0
}

// room says whether there is a place for those of a rank.
func (g *gate) room(rank int) bool {
	return g.taken[0]+g.taken[1] < g.places && (rank == 1 || g.taken[0] < g.strangers)
}

// enter waits for a place; its error is the cause of ctx's end.
func (g *gate) enter(ctx context.Context, p *party, known bool) error {
	k := rank(known)
	g.mu.Lock()
	if g.room(k) && len(g.lines[k]) == 0 {
		g.taken[k]++
		g.mu.Unlock()
		return nil
	}
	turn := g.join(k, p)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.quit(k, p, turn) { // it got its place in this moment
		g.taken[k]--
		g.next()
	}
	return context.Cause(ctx)
}

func (g *gate) leave(known bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken[rank(known)]--
	g.next()
}

// join lets a request of p wait.
func (g *gate) join(k int, p *party) chan struct{} {
	turn := make(chan struct{})
	for _, l := range g.lines[k] {
		if l.of == p {
			l.turns = append(l.turns, turn)
			return turn
		}
	}
	g.lines[k] = append(g.lines[k], &line{p, []chan struct{}{turn}})
	return turn
}

// quit ends a wait; false when the request does not wait any more.
func (g *gate) quit(k int, p *party, turn chan struct{}) bool {
	for n, l := range g.lines[k] {
		if l.of != p {
			continue
		}
		at := slices.Index(l.turns, turn)
		if at < 0 {
			return false
		}
		if l.turns = slices.Delete(l.turns, at, at+1); len(l.turns) == 0 {
			g.lines[k] = slices.Delete(g.lines[k], n, n+1)
		}
		return true
	}
	return false
}

// next gives the free places to those whose turn it is.
func (g *gate) next() {
	for {
		k := g.turn
		if len(g.lines[k]) == 0 || !g.room(k) {
			k = 1 - k
		}
		if len(g.lines[k]) == 0 || !g.room(k) {
			return
		}
		g.turn = 1 - k
		l := g.lines[k][0]
		close(l.turns[0])
		g.taken[k]++
		g.lines[k] = g.lines[k][1:]
		if l.turns = l.turns[1:]; len(l.turns) > 0 {
			g.lines[k] = append(g.lines[k], l)
		}
	}
}
