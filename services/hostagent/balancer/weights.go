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
	places := make(chan struct{}, maxAsking)
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
			if percent, known := Answer(slots(), strings.TrimRight(line, "\r\n")); known {
				fmt.Fprintf(conn, "%d%%\n", percent)
			}
		}()
	}
}
