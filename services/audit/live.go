package audit

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"sync"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/eventlog"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/origin"
)

// How many clients may follow the log at once: all together, and those of one account
// or, of strangers, of one network.
const maxFollowers, maxFollowersOfOne = 200, 10

// followers counts those who follow.
type followers struct {
	mu  sync.Mutex
	all int
	of  map[string]int
}

// enter counts one more; false when there are too many.
func (f *followers) enter(who string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all >= maxFollowers || f.of[who] >= maxFollowersOfOne {
		return false
	}
	if f.of == nil {
		f.of = map[string]int{}
	}
	f.all++
	f.of[who]++
	return true
}

func (f *followers) leave(who string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all--
	if f.of[who]--; f.of[who] == 0 {
		delete(f.of, who)
	}
}

// whoFollows is by whom followers are counted.
func whoFollows(c *endpoint.Call) string {
	if c.Principal.Kind == access.Anonymous {
		return budget.Network(origin.Of(c.Request).Addr).String()
	}
	return fmt.Sprintf("%s %s", c.Principal.Kind, c.Principal.ID)
}

type liveIn struct {
	Filter
	openapi.Resume
	After uint64 `query:"after" maximum:"9007199254740991" doc:"Begin behind this sequence; the header Last-Event-ID counts before it"`
}

// live sends events as they come. The reader's pace is that of the sender: nothing is
// kept for one that is slow, and one that reads nothing at all is cut off.
func (a *Audit) live(ctx context.Context, c *endpoint.Call, in *liveIn) (func(context.Context, *openapi.Events) error, error) {
	q, err := in.parse()
	if err != nil {
		return nil, err
	}
	after := cmp.Or(in.LastEventID, in.After)
	if after == 0 {
		if after, err = a.Log.Last(ctx); err != nil {
			return nil, err
		}
	}
	who := whoFollows(c)
	if !a.followers.enter(who) {
		return nil, endpoint.Fail(http.StatusTooManyRequests, "too many follow the log at once: close some, and try again").With("Retry-After", "5")
	}
	context.AfterFunc(ctx, func() { a.followers.leave(who) }) // at the end of the request, in whatever way it ends
	return func(ctx context.Context, to *openapi.Events) error {
		return a.Log.Follow(ctx, c.Principal, q, after, func(list []eventlog.Event, at uint64) error {
			for k := range list {
				if err := to.Send(list[k].Seq, "event", shownEvent(&list[k])); err != nil {
					return err
				}
			}
			return to.At(at)
		})
	}, nil
}
