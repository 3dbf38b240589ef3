package process

import (
	"math"
	"time"
)

// A Backoff says when a task that failed is tried again: after First, then
// after twice as long each time, up to Max, each shortened at random by up to a
// half so that tasks that failed together do not come back together.
type Backoff struct {
	First    time.Duration // default 1 s
	Max      time.Duration // default 15 min
	Attempts int           // after so many a task is a dead letter; default 12, about an hour
}

// Unlimited is the Attempts of a manager whose tasks are tried until they succeed.
const Unlimited = math.MaxInt

func (b Backoff) withDefaults() Backoff {
	if b.First <= 0 {
		b.First = time.Second
	}
	if b.Max <= 0 {
		b.Max = 15 * time.Minute
	}
	b.Max = max(b.Max, b.First)
	if b.Attempts <= 0 {
		b.Attempts = 12
	}
	return b
}

// pause is how long to wait after so many attempts; random is from 0 to 1.
func (b Backoff) pause(attempts int, random float64) time.Duration {
	d := b.First
	for range attempts - 1 {
		if d >= b.Max/2 {
			d = b.Max
			break
		}
		d *= 2
	}
	return d - time.Duration(random*float64(d)/2)
}
