package process

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A task that names a time is tried then, as often as it does: that is no attempt, and no
// reason to give it up. A time beyond a day does not count.
func TestLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var tries []time.Duration
		w := newWorld(t, func(context.Context, Task) error {
			tries = append(tries, time.Since(begin))
			switch n := len(tries); {
			case n < 20:
				return &Later{At: time.Now().Add(10 * time.Minute), Err: errors.New("not now")}
			case n == 20:
				return &Later{At: time.Now().Add(1000 * time.Hour), Err: errors.New("not now")}
			}
			return nil
		}, nil)
		w.todo.add(Task{Key: "a"})
		start(t, w.Runner)
		later(time.Millisecond)
		w.wantStatus(t, 1, 1, 0, 0)
		later(30 * time.Hour)
		w.wantStatus(t, 0, 0, 0, 0)
		if len(tries) != 21 || len(w.log.ids()) != 1 {
			t.Fatalf("tried %d times, %d events", len(tries), len(w.log.ids()))
		}
		for k, at := range tries[1:] {
			want := 10 * time.Minute
			if k == 19 {
				want = 24 * time.Hour
			}
			if pause := at - tries[k]; pause < want || pause > want+time.Minute {
				t.Errorf("pause %d is %s", k, pause)
			}
		}
	})
}
