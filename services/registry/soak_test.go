package registry_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/registrytest"
)

// The soak of garbage collection: clients push, delete, mount and push again
// what was collected, while it collects every second with a lease term of 2 s
// and an undelete window of 1 s. No client that keeps to the protocol may ever
// be told that a blob is unknown, no image that nobody deleted may ever be
// broken, and all of it counts for nothing unless at least 1,000 blobs were
// swept and 100 of those were pushed again.
func TestCollectionSoak(t *testing.T) {
	t.Parallel()
	if !soak() {
		t.Skip("takes minutes: set HUBLEDGER_SOAK=1")
	}
	stats := churn(t, 6, 2*time.Minute, func(s *churnStats) bool { return s.swept >= 1200 && len(s.again) >= 150 })
	if stats.swept < 1000 || len(stats.again) < 100 {
		t.Errorf("swept %d blobs and pushed %d of them again: too little to say anything", stats.swept, len(stats.again))
	}
}

// TestCollectionUnderLoad does the same for a few seconds with two clients. It
// is not the soak.
func TestCollectionUnderLoad(t *testing.T) {
	t.Parallel()
	if soak() {
		t.Skip("TestCollectionSoak does more of it")
	}
	stats := churn(t, 2, 30*time.Second, func(s *churnStats) bool { return s.swept >= 40 && len(s.again) >= 5 })
	if stats.swept < 40 || len(stats.again) < 5 {
		t.Errorf("swept %d blobs and pushed %d of them again", stats.swept, len(stats.again))
	}
}

const (
	soakTerm   = 2 * time.Second
	soakWindow = time.Second
	soakTick   = time.Second
)

// churnStats are what happened, guarded by mu.
type churnStats struct {
	mu      sync.Mutex
	gone    map[digest.Digest]bool // swept at some time
	again   map[digest.Digest]bool // and uploaded after that
	swept   int
	pushes  int
	deletes int
	mounts  int
	pulls   int
	late    int // pushes that took too long to count for anything
	failed  error
}

func (s *churnStats) do(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *churnStats) fail(err error) {
	s.do(func() { s.failed = errors.Join(s.failed, err) })
}

// churn runs clients and collections until enough has happened or the time is up.
func churn(t *testing.T, clients int, limit time.Duration, enough func(*churnStats) bool) *churnStats {
	stats := &churnStats{gone: map[digest.Digest]bool{}, again: map[digest.Digest]bool{}}
	fs := &registrytest.HookedFS{Removed: func(path string) {
		if d, ok := blobAt(path); ok {
			stats.do(func() { stats.gone[d] = true; stats.swept++ })
		}
	}}
	h := registrytest.Start(t, registrytest.Config{LeaseTerm: soakTerm, UndeleteWindow: soakWindow, FS: fs})
	ctx, stop := context.WithTimeout(t.Context(), limit)
	defer stop()
	var all []*churnClient
	var work sync.WaitGroup
	for k := range clients {
		c := &churnClient{Client: h.Client(), h: h, stats: stats, repo: fmt.Sprintf("client%d/app", k), rng: rand.New(rand.NewPCG(uint64(k), 1))}
		c.others = fmt.Sprintf("client%d/app", (k+1)%clients)
		all = append(all, c)
		work.Go(func() {
			for ctx.Err() == nil {
				if err := c.round(); err != nil {
					stats.fail(fmt.Errorf("%s: %w", c.repo, err))
					stop()
				}
			}
		})
	}
	tick := time.NewTicker(soakTick)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			if _, err := h.Registry.GC.Collect(ctx, h.UndeleteWindow, func(int) {}); err != nil && ctx.Err() == nil {
				t.Errorf("collect: %v", err)
			}
			done := false
			stats.do(func() { done = enough(stats) })
			if done {
				stop()
			}
		}
	}
	work.Wait()
	t.Logf("%d pushes (%d too slow to count), %d deletes, %d mounts, %d pulls; %d blobs swept, %d of them pushed again",
		stats.pushes, stats.late, stats.deletes, stats.mounts, stats.pulls, stats.swept, len(stats.again))
	if stats.failed != nil {
		t.Error(stats.failed)
	}
	// At last all that can go goes, and all that nobody deleted is still there.
	for _, c := range all {
		h.EndLeases(c.repo)
	}
	check(t, second(h.Collector().Collect(t.Context(), 0, func(int) {})))
	for _, c := range all {
		check(t, c.pullAll())
	}
	h.Rebuilt()
	return stats
}
