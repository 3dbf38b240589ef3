package sources

import (
	"math/rand/v2"
	"time"

	"hubledger/projections/builds"
)

const (
	// maxPause is the longest time between two sweeps of a source.
	maxPause = time.Hour
	// firstRetry is the pause after a sweep that failed; it doubles with each failure.
	firstRetry = 30 * time.Second
	// patience is how many sweeps without a move leave the interval as it is. Each
	// further one makes it half as long again.
	patience = 12
	// hookPause is the least time between two sweeps that webhooks ask for.
	hookPause = time.Second
)

// pauseAfter is the time from a sweep to the next one that the timer makes, before
// jitter. every is the interval while refs move.
func pauseAfter(w sweep, every time.Duration) time.Duration {
	pause, steps, longer := every, w.Quiet-patience, 1.5
	if w.Failures > 0 {
		pause, steps, longer = firstRetry, w.Failures-1, 2
	}
	longest := max(maxPause, every)
	for ; steps > 0 && pause < longest; steps-- {
		pause = time.Duration(float64(pause) * longer)
	}
	return min(pause, longest)
}

// jittered is a pause, up to a fifth longer or shorter, so that sources which were
// linked together do not stay together.
func jittered(pause time.Duration) time.Duration {
	return time.Duration(float64(pause) * (0.8 + 0.4*rand.Float64()))
}

// dueAt is when a source is to be swept: w is its latest sweep, ok whether there
// was one. A sweep that seems to be yet to come was noted by another clock, or before the
// clock was set back: it says nothing of when the next one is due.
func dueAt(s builds.Watched, w sweep, ok bool, now time.Time) time.Time {
	switch {
	case w.At.After(now):
		return time.Time{}
	case !ok || max(s.Seq, s.Rules) > w.Settings || w.Asked > w.Answered:
		return time.Time{}
	case s.Hook > w.Hook && w.At.Add(hookPause).Before(w.Next):
		return w.At.Add(hookPause)
	}
	return w.Next
}
