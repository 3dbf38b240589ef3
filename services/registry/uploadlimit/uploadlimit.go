// Package uploadlimit bounds how many uploads an account has open at once, so
// that one account cannot fill the disk with unfinished ones.
package uploadlimit

import (
	"fmt"
	"sync"
	"time"

	"hubledger/services/internal/access"
)

// A Limiter counts the uploads that each account has open. What was counted is
// in the memory of one node only, and gone after a restart.
type Limiter struct {
	max    int
	mu     sync.Mutex
	begins map[string]map[string]time.Time // by account, then upload: when it began
	owner  map[string]string               // by upload
}

// forgottenAfter is the age at which an upload no longer counts: if nothing was
// written to it, it is purged by then.
const forgottenAfter = 25 * time.Hour

// New allows each account max open uploads.
func New(max int) *Limiter {
	return &Limiter{max: max, begins: map[string]map[string]time.Time{}, owner: map[string]string{}}
}

// An ExceededError refuses an upload to an account that has too many open.
type ExceededError struct {
	Account    string // its name
	Limit      int
	RetryAfter time.Duration
}

func (e *ExceededError) Error() string {
	return fmt.Sprintf("%s has %d uploads open: finish or cancel some first", e.Account, e.Limit)
}

// Allow is nil when the account may begin one more upload. *ExceededError.
func (l *Limiter) Allow(who access.Principal) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.begins[who.ID]) < l.max {
		return nil
	}
	for id, begun := range l.begins[who.ID] {
		if time.Since(begun) > forgottenAfter {
			l.drop(id)
		}
	}
	if len(l.begins[who.ID]) < l.max {
		return nil
	}
	return &ExceededError{Account: who.Name, Limit: l.max, RetryAfter: time.Minute}
}

// Begun counts an upload of the account.
func (l *Limiter) Begun(who access.Principal, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begins[who.ID] == nil {
		l.begins[who.ID] = map[string]time.Time{}
	}
	l.begins[who.ID][id] = time.Now()
	l.owner[id] = who.ID
}

// Known says whether an upload is counted.
func (l *Limiter) Known(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.owner[id]
	return ok
}

// Ended stops counting an upload, if it was counted.
func (l *Limiter) Ended(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(id)
}

func (l *Limiter) drop(id string) {
	who, ok := l.owner[id]
	if !ok {
		return
	}
	delete(l.owner, id)
	if delete(l.begins[who], id); len(l.begins[who]) == 0 {
		delete(l.begins, who)
	}
}
