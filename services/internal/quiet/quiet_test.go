package quiet_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/services/internal/quiet"
)

// What repeats is written so often in a while, then counted, and the count is told.
func TestRepetitionsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		log := slog.New(quiet.New(slog.NewTextHandler(&out, nil)))
		for n := range 10_000 {
			log.With("attempt", n).Warn("request failed", "path", fmt.Sprint("/", n))
		}
		log.Warn("something else")
		if lines := strings.Count(out.String(), "\n"); lines != 51 || !strings.Contains(out.String(), "something else") {
			t.Errorf("%d lines", lines)
		}
		out.Reset()
		time.Sleep(10 * time.Second)
		log.Warn("request failed", "path", "/")
		log.Warn("request failed", "path", "/")
		if got := out.String(); strings.Count(got, "9950 more of this kind were suppressed") != 1 || strings.Count(got, "\n") != 2 {
			t.Errorf("afterwards: %s", got)
		}
	})
}

// An error is not hidden by others of the same message that clients bring about, and
// errors of ever other causes are bounded as well.
func TestAnotherErrorIsNotHidden(t *testing.T) {
	var out strings.Builder
	log := slog.New(quiet.New(slog.NewTextHandler(&out, nil)))
	for range 1000 {
		log.Error("request failed", "error", errors.New("too busy"))
	}
	out.Reset()
	for range 2 {
		log.Error("request failed", "error", errors.New("input/output error"))
	}
	if got := out.String(); strings.Count(got, "input/output error") != 1 || !strings.Contains(got, "suppressed") {
		t.Errorf("%q", got)
	}
	for n := range 1000 {
		log.Error("request failed", "error", fmt.Errorf("cause %d", n))
		log.Warn("request failed", "error", fmt.Errorf("cause %d", n))
	}
	if errs, warnings := strings.Count(out.String(), "level=ERROR"), strings.Count(out.String(), "level=WARN"); errs > 20 || warnings != 50 {
		t.Errorf("%d errors beyond the first and %d warnings", errs, warnings)
	}
}

// A stack is of use only when it is longer than other texts.
func TestStacks(t *testing.T) {
	var out strings.Builder
	slog.New(quiet.New(slog.NewTextHandler(&out, nil))).Error("a task panicked", "stack", strings.Repeat("x", 30_000))
	if out.Len() < 4000 || out.Len() > 4500 {
		t.Errorf("%d bytes", out.Len())
	}
}

// Texts in the log are short, whatever they are in.
func TestTextsAreShort(t *testing.T) {
	var out strings.Builder
	log := slog.New(quiet.New(slog.NewTextHandler(&out, nil)))
	long := strings.Repeat("é", 30_000)
	for what, write := range map[string]func(){
		"a text":     func() { log.Info("x", "path", long) },
		"an error":   func() { log.Info("x", "error", fmt.Errorf("open: %w", errors.New(long))) },
		"a slice":    func() { log.Info("x", "names", []string{long, long}) },
		"a group":    func() { log.Info("x", slog.Group("request", "path", long)) },
		"a message":  func() { log.Info(long) },
		"in advance": func() { log.With("agent", long).WithGroup("g").Info("x", "path", long) },
	} {
		out.Reset()
		if write(); out.Len() < 300 || out.Len() > 1000 || !strings.Contains(out.String(), "bytes)") {
			t.Errorf("%s: %d bytes: %.100s", what, out.Len(), out.String())
		}
	}
	out.Reset()
	log.Info("ready", "took", 3*time.Second, "n", 7, "error", error(nil))
	if got := out.String(); !strings.Contains(got, "took=3s n=7 error=<nil>") {
		t.Error(got)
	}
}
