package registry

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"hubledger/services/internal/access"
)

// openUploads counts the uploads that each account has open, so that one account
// cannot fill the disk with unfinished ones. It is empty after a restart.
type openUploads struct {
	max    int
	mu     sync.Mutex
	begins map[string]map[string]time.Time // by account, then upload: when it began
	owner  map[string]string               // by upload
}

// forgottenAfter is the age at which an upload no longer counts: if nothing was
// written to it, it is purged by then.
const forgottenAfter = 25 * time.Hour

func newOpenUploads(max int) *openUploads {
	return &openUploads{max: max, begins: map[string]map[string]time.Time{}, owner: map[string]string{}}
}

// mayBegin refuses one more upload to an account that has too many open.
func (o *openUploads) mayBegin(who access.Principal) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.begins[who.ID]) < o.max {
		return nil
	}
	for id, begun := range o.begins[who.ID] {
		if time.Since(begun) > forgottenAfter {
			o.drop(id)
		}
	}
	if len(o.begins[who.ID]) < o.max {
		return nil
	}
	p := fail(http.StatusTooManyRequests, "TOOMANYREQUESTS", fmt.Sprintf("%s has %d uploads open: finish or cancel some first", who.Name, o.max))
	p.retryAfter = time.Minute
	return p
}

func (o *openUploads) begun(who access.Principal, id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.begins[who.ID] == nil {
		o.begins[who.ID] = map[string]time.Time{}
	}
	o.begins[who.ID][id] = time.Now()
	o.owner[id] = who.ID
}

func (o *openUploads) ended(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(id)
}

func (o *openUploads) drop(id string) {
	who, ok := o.owner[id]
	if !ok {
		return
	}
	delete(o.owner, id)
	if delete(o.begins[who], id); len(o.begins[who]) == 0 {
		delete(o.begins, who)
	}
}
