// Package memory says when a process gives memory back to the system, and when it
// collects garbage.
package memory

import (
	"context"
	"os"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"

	"hubledger/services/auth"
	"hubledger/services/internal/program"
)

// What the hub has allocated, in bytes, decides when it gives memory back.
const (
	lookEvery  = 5 * time.Second // how often it looks
	quietBytes = 4 << 20         // less than that since the last look: it is quiet
	idleBytes  = 1 << 20         // less than that: nobody asks it for anything
	worthBytes = 16 << 20        // more than that since it last gave memory back: there is something to give
)

// A watch decides when memory is given back to the system: when the hub has
// become quiet after it was busy. Left alone, the runtime collects what is garbage
// after two minutes, and returns the memory later still.
type watch struct{ seen, given uint64 }

// look is told how many bytes have been allocated since the start. due says that there is
// memory to give back, idle that what the program has touched of its file is not needed.
func (w *watch) look(allocated uint64) (idle, due bool) {
	since := allocated - w.seen
	w.seen = allocated
	if due = since < quietBytes && allocated-w.given >= worthBytes; due {
		w.given = allocated
	}
	return since < idleBytes, due
}

// Run returns unused memory to the system when it is called, at the end of a start, and
// in quiet times, and keeps the collector's limit and how often it runs, until ctx ends.
// budget is how much memory requests may take, in bytes; 0 for no bound, with which there
// is no limit either.
func Run(ctx context.Context, budget int64) {
	var w watch
	percent := 0
	program.GiveBack() // most of what a start has touched is not needed again
	figures := []runtimemetrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		runtimemetrics.Read(figures)
		// How often it collects is the operator's when there is a GOGC.
		if p := collectAt(figures[1].Value.Uint64()); os.Getenv("GOGC") == "" && p != percent {
			percent = p
			debug.SetGCPercent(p)
		}
		// The limit is the operator's when there is a GOMEMLIMIT.
		if os.Getenv("GOMEMLIMIT") == "" && budget > 0 {
			debug.SetMemoryLimit(limit(budget, int64(figures[1].Value.Uint64()+figures[2].Value.Uint64())))
		}
		idle, due := w.look(figures[0].Value.Uint64())
		if due {
			debug.FreeOSMemory()
		}
		if due || idle {
			program.GiveBack()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// smallHeap is up to how many bytes in use collecting is cheap: 1 % of the processor time
// of a hub that is pushed to, with half as much garbage as is in use. A password that is being
// checked is among them.
const smallHeap = 128 << 20

// collectAt is how much garbage there may be before it is collected, in percent of what
// is in use.
func collectAt(inUse uint64) int {
	if inUse < smallHeap {
		return 50
	}
	return 100
}

// ownMemory is about what a busy hub uses beside requests and passwords, in bytes.
const ownMemory = 128 << 20

// limit is how much memory the process may have before garbage is collected
// earlier than when it has doubled: a quarter more than budgeted requests, passwords
// and the hub itself use at most. Most of that has no pointers and is collected
// cheaply. What is in use always has half as much again, since the log's index grows
// with the number of tags: collecting never becomes the main work.
func limit(budget, inUse int64) int64 {
	return max((budget+auth.HashMemory()+ownMemory)*5/4, inUse*3/2)
}
