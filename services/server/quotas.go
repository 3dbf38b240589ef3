package server

import (
	"context"
	"errors"
	"sync"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
)

// maxQuotas bounds the namespaces whose quotas are remembered.
const maxQuotas = 10_000

// quotas reads the quotas of namespaces, and remembers them until the accounts
// projection commits a change: each blob of a push asks. A namespace that does not
// exist has none.
type quotas struct {
	read accounts.Reader

	mu    sync.Mutex
	epoch uint64 // counts the changes: what was read before one is not kept
	known map[string]quotaOf
}

type quotaOf struct{ bytes, images int64 }

func (q *quotas) Quota(ctx context.Context, name string) (bytes, images int64, err error) {
	q.mu.Lock()
	limit, ok := q.known[name]
	epoch := q.epoch
	q.mu.Unlock()
	if ok {
		return limit.bytes, limit.images, nil
	}
	ns, err := q.read.Namespace(ctx, name)
	if err == nil {
		limit = quotaOf{ns.QuotaBytes, ns.QuotaImages}
	} else if !errors.Is(err, accounts.ErrNotFound) {
		return 0, 0, err
	}
	q.keep(epoch, name, limit)
	return limit.bytes, limit.images, nil
}

func (q *quotas) keep(epoch uint64, name string, limit quotaOf) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.epoch != epoch {
		return
	}
	if q.known == nil || len(q.known) >= maxQuotas {
		q.known = map[string]quotaOf{}
	}
	q.known[name] = limit
}

// committed forgets what a commit of the accounts projection may have changed. It
// is called before anyone who waits for the commit goes on.
func (q *quotas) committed(c projections.Commit) {
	forget := c.Events == nil
	for k := range c.Events {
		family, _, err := events.SplitType(c.Events[k].Type())
		switch {
		case err != nil, family == "quota.set", family == "namespace.created", family == "namespace.adopted":
			forget = true
		}
	}
	if !forget {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.epoch++
	q.known = nil
}
