package secondfactor

import (
	"sync"
	"time"
)

// Bounds of guessing. Who guesses has the password already, and can use many addresses, so
// wrong codes are counted by account. The right password and recovery codes stay good, and so
// does everything that is signed in. At one try an hour, guessing one of the three codes that
// are good at a time takes some forty years on average.
const (
	freeTries   = 5
	firstWait   = 30 * time.Second
	longestWait = time.Hour
	forgetAfter = 24 * time.Hour // without a try
	maxTracked  = 10_000         // accounts
)

// Tries bounds how often codes of an account are tried. It is kept in the memory of one node.
type Tries struct {
	mu       sync.Mutex
	accounts map[string]*tries
}

type tries struct {
	n     int
	at    time.Time // of the last one
	until time.Time // none before
}

// NewTries has seen no try.
func NewTries() *Tries { return &Tries{accounts: map[string]*tries{}} }

// Begin counts a try of a code as a wrong one, before it is looked at, so that those at the
// same moment are bounded, too; or says how long to wait, and then it may not be looked at.
func (t *Tries) Begin(account string, now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	of := t.accounts[account]
	if of == nil {
		t.shrink(now)
		of = &tries{}
		t.accounts[account] = of
	}
	if now.Sub(of.at) > forgetAfter {
		*of = tries{}
	}
	if wait := of.until.Sub(now); wait > 0 {
		return wait
	}
	of.n++
	of.at = now
	if of.n >= freeTries {
		of.until = now.Add(min(firstWait<<min(of.n-freeTries, 10), longestWait))
	}
	return 0
}

// Good says that the code was right: what was tried before is forgotten.
func (t *Tries) Good(account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.accounts, account)
}

// shrink makes room for one more. Who has to wait is forgotten last.
func (t *Tries) shrink(now time.Time) {
	for _, waiting := range []bool{false, true} {
		for account, of := range t.accounts {
			if len(t.accounts) < maxTracked {
				return
			}
			if waiting || !of.until.After(now) {
				delete(t.accounts, account)
			}
		}
	}
}
