package registry

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"hubledger/services/internal/access"
)

// openUploads keeps book of who has how many uploads open, so that one account
// cannot fill the disk with beginnings. It begins anew with the process.
type openUploads struct {
	max   int
	mu    sync.Mutex
	of    map[string]map[string]time.Time // by account, then upload: when it was begun
	owner map[string]string               // by upload
}

// forgottenAfter is when an upload ceases to count: those that nothing is
// written to are purged by then.
const forgottenAfter = 25 * time.Hour

func newOpenUploads(max int) *openUploads {
	return &openUploads{max: max, of: map[string]map[string]time.Time{}, owner: map[string]string{}}
}

// room refuses one more upload to whoever has too many.
func (o *openUploads) room(who access.Principal) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.of[who.ID]) < o.max {
		return nil
	}
	for id, begun := range o.of[who.ID] {
		if time.Since(begun) > forgottenAfter {
			o.drop(id)
		}
	}
	if len(o.of[who.ID]) < o.max {
		return nil
	}
	p := fail(http.StatusTooManyRequests, "TOOMANYREQUESTS", fmt.Sprintf("%s has %d uploads open: finish or cancel some first", who.Name, o.max))
	p.retryAfter = time.Minute
	return p
}

func (o *openUploads) begun(who access.Principal, id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of[who.ID] == nil {
		o.of[who.ID] = map[string]time.Time{}
	}
	o.of[who.ID][id] = time.Now()
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
	if delete(o.of[who], id); len(o.of[who]) == 0 {
		delete(o.of, who)
	}
}
