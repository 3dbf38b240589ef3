package balancer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"hubledger/services/internal/hosting"
)

const (
	// askWithin is how long whoever has connected may take to ask.
	askWithin   = 3 * time.Second
	maxAsked    = 300 // bytes
	maxAsking   = 256 // connections at once
	acceptPause = 100 * time.Millisecond
)

// Answer is the weight of what is asked for, in percent of the weight in HAProxy's
// configuration; false when this host does not have it. It is the share of the colour's traffic
// divided by the hosts that take it, since HAProxy weighs each server, times the scale of both
// colours. A colour with a share has at least 1: 0 would take its traffic away.
func Answer(slots []hosting.Slot, subject string) (percent int, known bool) {
	for _, s := range slots {
		if s.Colour != "" && Subject(s.Application, s.Environment, s.Colour) == subject {
			live := max(s.Live, 1)
			percent = (s.Share*max(s.Scale, 1) + live/2) / live
			if s.Share > 0 {
				percent = max(percent, 1)
			}
			return min(max(percent, 0), 100), true
		}
	}
	return 0, false
}

// Serve answers HAProxy's agent checks with weights, and nothing else: "ready" would end a
// maintenance that an operator has begun, and after "down" only "up" helps. What is not known
// gets no answer: then the weight stays. It returns when ctx ends.
func Serve(ctx context.Context, l net.Listener, slots func() []hosting.Slot, logger *slog.Logger) {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	places, steady := make(chan struct{}, maxAsking), &steadier{was: map[string]weight{}}
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			logger.Warn("the weight responder cannot take connections; it tries again", "error", err)
			time.Sleep(acceptPause)
			continue
		}
		select {
		case places <- struct{}{}:
		default:
			conn.Close()
			continue
		}
		go func() {
			defer func() { <-places }()
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(askWithin))
			line, err := bufio.NewReaderSize(io.LimitReader(conn, maxAsked), maxAsked).ReadString('\n')
			if err != nil {
				return
			}
			subject := strings.TrimRight(line, "\r\n")
			if percent, known := Answer(slots(), subject); known {
				fmt.Fprintf(conn, "%d%%\n", steady.answer(subject, percent, time.Now()))
			}
		}()
	}
}

// overlap is how long a colour that has nothing any more keeps a weight of 1 beside the other
// one's. HAProxy asks for the weights of its servers one after the other, and may hold the
// server that gets everything to be down still: in between there would be no server at all. A
// drain waits for longer than that before it stops anything.
const overlap = 2500 * time.Millisecond

// A weight is what was answered, and since when it is 0.
type weight struct {
	percent int
	fell    time.Time // zero: it has not fallen
}

// A steadier lets weights fall to 0 a little later than the others have risen.
type steadier struct {
	mu  sync.Mutex
	was map[string]weight // by subject; only of what this host has
}

func (s *steadier) answer(subject string, percent int, now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.was[subject]
	switch {
	case percent > 0:
		s.was[subject] = weight{percent: percent}
		return percent
	case w.percent == 0:
		return 0
	case w.fell.IsZero():
		w.fell = now
		s.was[subject] = w
		return 1
	case now.Sub(w.fell) < overlap:
		return 1
	}
	delete(s.was, subject)
	return 0
}
