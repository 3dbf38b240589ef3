package eventlog_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubledger/services/internal/access"
	"hubledger/services/internal/eventlog"
	"hubledger/services/internal/eventquery"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// slow rights count how many ask for them at the same time.
type slow struct{ now, most atomic.Int32 }

func (s *slow) Holdings(context.Context, access.Principal) (access.Holdings, error) {
	n := s.now.Add(1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	time.Sleep(time.Millisecond)
	s.now.Add(-1)
	return access.Holdings{All: true, Whole: true, Level: access.Admin}, nil
}

// However many follow the log from its beginning, a few look through it at the same time,
// and each sees all of it.
func TestFollowersLookInTurn(t *testing.T) {
	hub := servertest.Start(t, server.Config{})
	hub.Token(servertest.Admin, "admin")
	last, rights := hub.LastSeq(), &slow{}
	log := hub.EventLog()
	log.Rights = rights
	log.Bound(10, 1, 10)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			seen, enough := 0, errors.New("enough")
			err := log.Follow(t.Context(), access.Operates, eventquery.Query{}, 0, func(list []eventlog.Event, at uint64) error {
				if seen += len(list); at >= last {
					return enough
				}
				return nil
			})
			if err != enough || seen < int(last) {
				t.Errorf("of %d events one has seen %d: %v", last, seen, err)
			}
		})
	}
	all.Wait()
	if n := rights.most.Load(); n < 1 || n > 4 {
		t.Errorf("%d looked at the same time", n)
	}
}
