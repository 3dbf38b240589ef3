package server

import (
	"context"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"
)

// What the hub has allocated, in bytes, decides when it gives memory back.
const (
	memoryEvery = 5 * time.Second // how often it looks
	quietBytes  = 4 << 20         // less than that since the last look: it is quiet
	worthBytes  = 16 << 20        // more than that since it last gave memory back: there is something to give
)

// A memoryWatch decides when memory is given back to the system: when the hub has
// become quiet after it was busy. Left alone, the runtime collects what is garbage
// after two minutes, and returns the memory later still.
type memoryWatch struct{ seen, given uint64 }

// due is told how many bytes have been allocated since the start.
func (w *memoryWatch) due(allocated uint64) bool {
	quiet := allocated-w.seen < quietBytes
	w.seen = allocated
	if !quiet || allocated-w.given < worthBytes {
		return false
	}
	w.given = allocated
	return true
}

// giveBackMemory returns unused memory to the system in quiet times until ctx ends.
func giveBackMemory(ctx context.Context) {
	var w memoryWatch
	allocated := []runtimemetrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		runtimemetrics.Read(allocated)
		if w.due(allocated[0].Value.Uint64()) {
			debug.FreeOSMemory()
		}
	}
}
