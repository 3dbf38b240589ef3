package sources

import (
	"fmt"
	"time"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// sweepWithin is longer than a git host is given to answer.
const sweepWithin = 90 * time.Second

type sweepCmd struct{ named }

// Run asks for a sweep and waits until it has ended.
func (c *sweepCmd) Run(s *console.Session) error {
	a, path, err := c.open(s)
	if err != nil {
		return err
	}
	before, err := console.Get[apitypes.Source](a, path)
	if err != nil {
		return err
	}
	if err := a.Do("POST", path+"/sweep", nil); err != nil {
		return err
	}
	bar := s.Bar("asking the git host")
	began := time.Now()
	for time.Since(began) < sweepWithin {
		bar.Set(int64(time.Since(began).Seconds()), 0, "s")
		select {
		case <-s.Context.Done():
			return s.Context.Err()
		case <-time.After(200 * time.Millisecond):
		}
		now, err := console.Get[apitypes.Source](a, path)
		if err != nil {
			return err
		}
		if now.Sweep != nil && !now.Sweep.Waiting && (before.Sweep == nil || now.Sweep.At.After(before.Sweep.At)) {
			bar.End()
			return report(a, now)
		}
	}
	return fmt.Errorf("no sweep of %s ended within %s: `hubledger status` says whether the hub can write", c.Source, sweepWithin)
}

// report prints how a sweep went; one that failed is an error.
func report(a *console.API, v apitypes.Source) error {
	if v.Sweep.Error != "" {
		return fmt.Errorf("the sweep failed: %s", v.Sweep.Error)
	}
	if a.Session.JSON {
		return a.Session.Print(v.Sweep)
	}
	fmt.Fprintf(a.Session.Out, "%d branches and tags, of which %d moved.\n", v.Sweep.Refs, v.Sweep.Moved)
	return nil
}
