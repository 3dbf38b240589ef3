package access

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/projections/accounts"
)

// A clockwork is a log and a view of it whose positions a test sets.
type clockwork struct {
	last, position atomic.Uint64
	broken, stuck  atomic.Bool
}

func (c *clockwork) LastSeq(ctx context.Context) (uint64, error) {
	if c.stuck.Load() {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	if c.broken.Load() {
		return 0, errors.New("no log")
	}
	return c.last.Load(), nil
}
func (c *clockwork) Position() uint64 { return c.position.Load() }
func (c *clockwork) Wait(ctx context.Context, seq uint64) error {
	for c.Position() < seq && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	return ctx.Err()
}
func (c *clockwork) HasParked() bool      { return false }
func (c *clockwork) IsParked(string) bool { return false }

func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clockwork{}
		r := New(Config{Read: accounts.Reader{}, View: c, Log: c, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
		is := func(what string, want error) {
			t.Helper()
			synctest.Wait()
			if err := r.Fresh(t.Context()); !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		is("an empty log, before Run looks", nil)
		c.last.Store(1)
		is("behind, before Run looks", ErrStale)
		c.position.Store(1)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { r.Run(ctx); close(ended) }()
		is("Run looks", nil)

		c.last.Store(10)
		time.Sleep(900 * time.Millisecond)
		is("behind for less than a second", nil)
		time.Sleep(600 * time.Millisecond)
		is("behind for more", ErrStale)
		go func() {
			time.Sleep(900 * time.Millisecond)
			c.position.Store(10)
		}()
		is("caught up while a request waits", nil)
		c.last.Store(20)
		time.Sleep(2 * time.Second)
		is("behind again", ErrStale)
		c.last.Store(10)
		c.position.Store(10)
		time.Sleep(lookEvery)
		is("caught up", nil)
		time.Sleep(time.Minute)
		is("a log that stands still, as one that is read-only does", nil)

		for range 100 { // never at the end of a log that grows, but close behind it
			c.position.Store(c.last.Load())
			c.last.Add(5)
			time.Sleep(lookEvery)
			is("close behind", nil)
		}
		time.Sleep(2 * time.Second)
		is("stopped", ErrStale)
		c.position.Store(c.last.Load())
		time.Sleep(lookEvery)
		is("goes on", nil)

		for name, fault := range map[string]*atomic.Bool{"broken": &c.broken, "stuck": &c.stuck} {
			fault.Store(true)
			time.Sleep(maxStale + lookEvery)
			is("the log is "+name, ErrStale)
			fault.Store(false)
			time.Sleep(maxStale + lookEvery)
			is("the log is well again", nil)
		}
		stop()
		<-ended
		time.Sleep(2 * time.Second)
		is("Run does not look any more", nil)
	})
}

// However long the view stands still, few marks are kept.
func TestMarksAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clockwork{}
		r := New(Config{View: c, Log: c})
		var marks []mark
		for k := range 1000 {
			marks = r.reached(append(marks, mark{time.Since(r.started), uint64(k + 1)}))
			time.Sleep(lookEvery)
		}
		if len(marks) > 6 {
			t.Errorf("%d marks", len(marks))
		}
	})
}
