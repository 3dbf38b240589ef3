package caged

import (
	"math"
	"sync"
	"time"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/cgroup"
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

// Behind the end of its log a build shows no life by what it writes, since nobody hears that
// any more. Then it counts as alive while it uses as much of a core as this.
const (
	alive     = 0.02
	looksOver = time.Second // by so much at least
)

func watch(b *build, c *cage.Cage, p *progress, g *cgroup.Group) *watcher {
	w := &watcher{stop: make(chan struct{}), free: math.MaxInt64}
	w.done.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		looked, used := time.Now(), time.Duration(0)
		for {
			select {
			case <-w.stop:
				return
			case <-tick.C:
			}
			if free, ok := c.Free(); ok {
				w.free = min(w.free, free)
			}
			if over := time.Since(looked); p.full.Load() && over > looksOver {
				before := used
				looked, used = time.Now(), g.CPU()
				if (used - before).Seconds() > alive*over.Seconds() {
					p.touch()
				}
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
