package agent

import (
	"sync"

	"hubledger/services/internal/hosting"
)

// A slot is made to be as the hub wants it, by one goroutine.
type slot struct {
	mu   sync.Mutex
	seen hosting.Seen
}

// look is what is seen of it; false when it is gone.
func (s *slot) look() (hosting.Seen, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen, true
}

// apply has every slot made to be as the state says.
func (a *Agent) apply() {}
