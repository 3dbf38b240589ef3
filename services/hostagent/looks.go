package hostagent

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/hosting"
)

const (
	// maxLooks bounds how many questions one host has at once.
	maxLooks = 16
	// answerWithin is how long a host may take to answer, beside what it waits for lines.
	answerWithin = 15 * time.Second
	// silence is how long after it has fetched a question a host may take to come for the next.
	silence = 10 * time.Second
)

// looks are questions that people have, and that hosts fetch: the hub sends nothing to a host that
// it has not asked for. What waits is in memory, and ends with whoever asks.
type looks struct {
	mu  sync.Mutex
	all map[string]*board // by machine
}

// A board has the questions of one host.
type board struct {
	open  []hosting.Look // that the host has not fetched yet
	asked map[string]chan hosting.Sight
	news  chan struct{} // closed when there is another one
	gone  bool          // the host was revoked
	polls int           // requests of the host that wait for one
	at    time.Time     // when the last of them has ended
}

func newLooks() *looks { return &looks{all: map[string]*board{}} }

// of is the board of a host. Call it with mu held.
func (l *looks) of(machine string) *board {
	b := l.all[machine]
	if b == nil {
		b = &board{asked: map[string]chan hosting.Sight{}, news: make(chan struct{})}
		l.all[machine] = b
	}
	return b
}

// ask puts a question to a host and waits for the answer. hosting.ErrLooks, hosting.ErrAway.
func (l *looks) ask(ctx context.Context, machine string, q hosting.Look) (hosting.Sight, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin+q.Wait)
	defer cancel()
	q.ID = rand.Text()
	answer := make(chan hosting.Sight, 1)
	l.mu.Lock()
	b := l.of(machine)
	if b.polls == 0 && time.Since(b.at) > silence { // it is away, or its agent is older and knows no such questions
		l.mu.Unlock()
		return hosting.Sight{}, hosting.ErrAway
	}
	if len(b.asked) >= maxLooks {
		l.mu.Unlock()
		return hosting.Sight{}, hosting.ErrLooks
	}
	b.open, b.asked[q.ID] = append(b.open, q), answer
	close(b.news)
	b.news = make(chan struct{})
	l.mu.Unlock()
	defer l.end(machine, q.ID)
	select {
	case s, ok := <-answer:
		if !ok { // it was revoked meanwhile
			return s, hosting.ErrAway
		}
		return s, nil
	case <-ctx.Done():
		if context.Cause(ctx) == context.DeadlineExceeded {
			return hosting.Sight{}, hosting.ErrAway
		}
		return hosting.Sight{}, ctx.Err()
	}
}

// end forgets a question.
func (l *looks) end(machine, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.all[machine]
	if b == nil {
		return
	}
	delete(b.asked, id)
	for k := range b.open {
		if b.open[k].ID == id {
			b.open = append(b.open[:k:k], b.open[k+1:]...)
			break
		}
	}
}

// next is a question that a host has not fetched yet; nil when none comes for a while.
func (l *looks) next(ctx context.Context, machine string, within time.Duration) (*hosting.Look, error) {
	end := time.After(within)
	l.mu.Lock()
	b := l.of(machine)
	b.polls++
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		b.polls--
		b.at = time.Now()
	}()
	for {
		l.mu.Lock()
		if b.gone {
			l.mu.Unlock()
			return nil, wire.ErrBusy
		}
		if len(b.open) > 0 {
			q := b.open[0]
			b.open = b.open[1:]
			l.mu.Unlock()
			return &q, nil
		}
		news := b.news
		l.mu.Unlock()
		select {
		case <-news:
		case <-end:
			return nil, nil
		case <-ctx.Done():
			return nil, wire.ErrBusy
		}
	}
}

// asks says whether a host has such a question.
func (l *looks) asks(machine, id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.all[machine]
	return b != nil && b.asked[id] != nil
}

// tell answers a question of that host. What nobody waits for any more is dropped.
func (l *looks) tell(machine, id string, s hosting.Sight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.all[machine]; b != nil {
		if answer := b.asked[id]; answer != nil {
			delete(b.asked, id)
			answer <- s // it has room for one
		}
	}
}

// forget is for a host that was revoked.
func (l *looks) forget(machine string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.all[machine]; b != nil {
		b.gone = true
		close(b.news)
		for _, answer := range b.asked {
			close(answer)
		}
		delete(l.all, machine)
	}
}
