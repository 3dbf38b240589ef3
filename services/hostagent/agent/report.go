package agent

import (
	"context"
	"slices"
	"strings"
	"time"

	"hubledger/services/internal/hosting"
)

const (
	// apart is how long after a report the next one is sent at the earliest.
	apart = 250 * time.Millisecond
	// maxError bounds a text about what is wrong, in bytes.
	maxError = 1 << 10
	// maxLogs bounds all logs of a report, in bytes.
	maxLogs = 512 << 10
)

// report tells the hub what is seen, when it changes and every few seconds.
func (a *Agent) report(ctx context.Context) {
	failing := false
	for ctx.Err() == nil {
		err := a.Hub.Observed(ctx, a.observation())
		if err != nil && ctx.Err() == nil && !failing {
			a.Logger.Warn("the hub did not take what this host sees; it is told again", "error", err)
		}
		failing = err != nil
		if !pause(ctx, apart) {
			return
		}
		select {
		case <-ctx.Done():
		case <-a.news:
		case <-time.After(a.Times.Report):
		}
	}
}

// observation is all that is seen now.
func (a *Agent) observation() hosting.Observation {
	state := a.store.state()
	o := hosting.Observation{Generation: state.Generation, Epoch: state.Epoch}
	a.mu.Lock()
	defer a.mu.Unlock()
	o.Engine = a.engine
	for _, s := range a.slots {
		if seen, ok := s.look(); ok {
			o.Slots = append(o.Slots, seen)
		}
	}
	slices.SortFunc(o.Slots, func(x, y hosting.Seen) int { return strings.Compare(x.ID, y.ID) })
	left := maxLogs
	for k := range o.Slots {
		o.Slots[k].Containers = slices.Clone(o.Slots[k].Containers)
		for n := range o.Slots[k].Containers {
			c := &o.Slots[k].Containers[n]
			if left -= len(c.Log) + len(c.HealthLog); left < 0 {
				c.Log, c.HealthLog = "", ""
			}
		}
	}
	return o
}

// shortened is the beginning of a text, in whole characters.
func shortened(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
