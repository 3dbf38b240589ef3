package worker

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	flushEvery = 100 * time.Millisecond
	lastWithin = 10 * time.Second // what is left at the end is given up then
	maxPending = 4 << 20          // bytes: beyond them, whoever writes waits

	maxOwnChunk = MaxLogChunk - utf8.UTFMax // leaves room for the character that was cut before
)

// A logWriter keeps what a build writes, a few chunks a second. Losing some of a log
// is no reason to end a build: it is warned of once.
type logWriter struct {
	hub    Hub
	claim  Claim
	logger *slog.Logger

	mu      sync.Mutex
	room    *sync.Cond
	pending []pendingChunk
	size    int
	closed  bool
	wake    chan struct{}
	done    chan struct{}
	keeping context.Context // ends when what is left is given up
	giveUp  context.CancelFunc
}

type pendingChunk struct {
	step int
	data []byte
}

func newLogWriter(hub Hub, claim Claim, logger *slog.Logger) *logWriter {
	w := &logWriter{hub: hub, claim: claim, logger: logger, wake: make(chan struct{}, 1), done: make(chan struct{})}
	w.room = sync.NewCond(&w.mu)
	// What a build has written is kept also when the build was ended.
	w.keeping, w.giveUp = context.WithCancel(context.Background())
	go w.flush()
	return w
}

// write adds what a step wrote. It keeps no part of data.
func (w *logWriter) write(step int, data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.size > maxPending && !w.closed {
		w.room.Wait()
	}
	for len(data) > 0 {
		last := len(w.pending) - 1
		if last < 0 || w.pending[last].step != step || len(w.pending[last].data) >= maxOwnChunk {
			w.pending = append(w.pending, pendingChunk{step: step})
			last++
		}
		n := min(len(data), maxOwnChunk-len(w.pending[last].data))
		w.pending[last].data = append(w.pending[last].data, data[:n]...)
		data, w.size = data[n:], w.size+n
	}
}

// close writes what is left and ends the writer. It may be called again.
func (w *logWriter) close() {
	w.mu.Lock()
	first := !w.closed
	w.closed = true
	w.room.Broadcast()
	w.mu.Unlock()
	if first {
		defer time.AfterFunc(lastWithin, w.giveUp).Stop()
		w.wake <- struct{}{}
	}
	<-w.done
}

func (w *logWriter) flush() {
	defer close(w.done)
	defer w.giveUp()
	warned := false
	cut := map[int][]byte{} // by step: the beginning of a character whose rest has not come
	for {
		select {
		case <-w.wake:
		case <-time.After(flushEvery):
		}
		w.mu.Lock()
		chunks, closed := w.pending, w.closed
		w.pending, w.size = nil, 0
		w.room.Broadcast()
		w.mu.Unlock()
		for _, c := range chunks {
			text, rest := wholeRunes(append(cut[c.step], c.data...))
			if delete(cut, c.step); len(rest) > 0 {
				cut[c.step] = rest
			}
			w.keep(c.step, text, &warned)
		}
		if closed {
			for step, rest := range cut {
				w.keep(step, rest, &warned)
			}
			return
		}
	}
}

// keep hands a chunk to the hub.
func (w *logWriter) keep(step int, data []byte, warned *bool) {
	if len(data) == 0 {
		return
	}
	if err := w.hub.Log(w.keeping, w.claim, step, data); err != nil && !*warned {
		*warned = true
		w.logger.Warn("a part of a build's log is lost", "build", w.claim.Build, "error", err)
	}
}

// wholeRunes takes the beginning of a character away from the end of a text.
func wholeRunes(data []byte) (text, rest []byte) {
	for n := 1; n < utf8.UTFMax && n <= len(data); n++ {
		if end := data[len(data)-n:]; utf8.RuneStart(end[0]) {
			if !utf8.FullRune(end) {
				return data[:len(data)-n], slices.Clone(end)
			}
			break
		}
	}
	return data, nil
}
