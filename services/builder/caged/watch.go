package caged

import (
	"math"
	"sync"
	"time"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/driver"
)

// A watcher looks at a running build now and then: whether anything happens, and how
// full its disk is.
type watcher struct {
	stop chan struct{}
	done sync.WaitGroup
	free int64 // the least that was seen
}

// watchEvery is short: a step that fills the disk fails, and what it wrote is removed.
const watchEvery = 10 * time.Millisecond

func watch(b *build, c *cage.Cage, p *progress) *watcher {
	w := &watcher{stop: make(chan struct{}), free: math.MaxInt64}
	w.done.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-tick.C:
			}
			if free, ok := c.Free(); ok {
				w.free = min(w.free, free)
			}
			if p.idle() > b.spec.Limits.Idle {
				b.stop(driver.Failuref(driver.IdleLimit, "nothing happened in the build for %s", b.spec.Limits.Idle))
				return
			}
		}
	})
	return w
}

// end ends it.
func (w *watcher) end() {
	close(w.stop)
	w.done.Wait()
}

// least is how many bytes were free when the disk was fullest. Call it after end.
func (w *watcher) least() int64 { return w.free }
