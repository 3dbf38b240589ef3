package buildkit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"hubledger/services/builder/driver"
)

// fixed is a token.
type fixed string

func (f fixed) Token(context.Context, string, bool) (string, time.Time, error) {
	return string(f), time.Now().Add(time.Hour), nil
}

// A build that is cancelled leaves nothing, whatever its processes do about signals.
func TestCancel(t *testing.T) {
	w := newWorld(t)
	for name, cancel := range map[string]func(b driver.Build, stop context.CancelFunc){
		"cancel":  func(b driver.Build, _ context.CancelFunc) { b.Cancel() },
		"context": func(_ driver.Build, stop context.CancelFunc) { stop() },
		"destroy": func(b driver.Build, _ context.CancelFunc) { go b.Destroy() },
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			b, err := w.driver.Prepare(t.Context(), w.spec(fromBase+"RUN hang twice\n"))
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var got told
			got.result, got.err = b.Run(ctx, func(e driver.Event) {
				got.take(e)
				if e.Kind == driver.Log {
					cancel(b, stop)
				}
			})
			got.fails(t, driver.Cancelled, "cancelled")
			if left := w.processes(); len(left) > 0 {
				t.Errorf("processes are left: %v", left)
			}
			if err := b.Destroy(); err != nil {
				t.Error(err)
			}
			w.nothingLeft()
		})
	}
}

// A build may be cancelled or destroyed before it runs.
func TestCancelBefore(t *testing.T) {
	w := newWorld(t)
	b, err := w.driver.Prepare(t.Context(), w.spec("FROM scratch\n"))
	if err != nil {
		t.Fatal(err)
	}
	b.Cancel()
	var got told
	got.result, got.err = b.Run(t.Context(), got.take)
	got.fails(t, driver.Cancelled, "")
	if _, err := b.Run(t.Context(), got.take); err == nil {
		t.Error("a build ran twice")
	}
	if err := b.Destroy(); err != nil {
		t.Error(err)
	}
	if b, err = w.driver.Prepare(t.Context(), w.spec("FROM scratch\n")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Destroy(), b.Destroy()); err != nil {
		t.Error(err)
	}
	if _, err := b.Run(t.Context(), got.take); err == nil {
		t.Error("a build ran after its end")
	}
	w.nothingLeft()
}

// How long the end of a build takes that ignores every signal.
func BenchmarkCancel(b *testing.B) {
	w := newWorld(b)
	var took time.Duration
	for b.Loop() {
		one, err := w.driver.Prepare(b.Context(), w.spec(fromBase+"RUN hang twice\n"))
		if err != nil {
			b.Fatal(err)
		}
		var from time.Time
		one.Run(b.Context(), func(e driver.Event) {
			if e.Kind == driver.Log && strings.Contains(string(e.Data), "hanging") && from.IsZero() {
				from = time.Now()
				one.Cancel()
			}
		})
		if err := one.Destroy(); err != nil {
			b.Fatal(err)
		}
		took += time.Since(from)
	}
	b.ReportMetric(float64(took.Milliseconds())/float64(b.N), "ms/cancel")
}
