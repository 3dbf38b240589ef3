package worker

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// logs is a Hub that keeps logs and does nothing else.
type logs struct {
	Hub
	chunks []string
	steps  []int
}

func (l *logs) Log(_ context.Context, _ Claim, step int, data []byte) error {
	l.chunks, l.steps = append(l.chunks, string(data)), append(l.steps, step)
	return nil
}

// A character whose bytes come one after the other is not cut, and bytes that are no
// text come as they are.
func TestChunksHaveWholeCharacters(t *testing.T) {
	for _, text := range []string{"plain", "grüße, 世界 🎉 é", "\xff\xfe bad \xe4", "cut at the end \xe4\xb8"} {
		synctest.Test(t, func(t *testing.T) {
			hub := &logs{}
			w := newLogWriter(hub, Claim{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
			for _, b := range []byte(text) {
				w.write(1, []byte{b})
				w.write(2, []byte("x"))
				time.Sleep(2 * flushEvery)
			}
			w.close()
			w.close()
			var got bytes.Buffer
			for k, chunk := range hub.chunks {
				if hub.steps[k] != 1 {
					continue
				}
				got.WriteString(chunk)
				if utf8.ValidString(text) && !utf8.ValidString(chunk) {
					t.Errorf("a chunk of %q is %q", text, chunk)
				}
			}
			if got.String() != text {
				t.Errorf("%q became %q", text, got.String())
			}
		})
	}
}

// A chunk that has the beginning of a character before it is not too large.
func TestChunksAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := &logs{}
		w := newLogWriter(hub, Claim{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
		text := append([]byte("a"), bytes.Repeat([]byte("世"), MaxLogChunk)...)
		w.write(1, text)
		w.close()
		size := 0
		for _, chunk := range hub.chunks {
			if size += len(chunk); len(chunk) > MaxLogChunk || !utf8.ValidString(chunk) {
				t.Errorf("a chunk has %d bytes, valid: %t", len(chunk), utf8.ValidString(chunk))
			}
		}
		if size != len(text) {
			t.Errorf("%d of %d bytes", size, len(text))
		}
	})
}
