package hostagent

import (
	"fmt"
	"unicode/utf8"

	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/hosting"
)

// Bounds of what a host says.
const (
	maxSlots      = 200
	maxImages     = 100 // of a slot
	maxContainers = 500 // of a slot
	maxLog        = 4 << 10
	maxError      = 2 << 10
	maxWord       = 256
)

// judge refuses what no host would say.
func judge(o hosting.Observation) error {
	if len(o.Slots) > maxSlots {
		return fmt.Errorf("%w: it has %d slots, and at most %d", wire.ErrReport, len(o.Slots), maxSlots)
	}
	j := judgement{}
	j.word(o.Generation, o.Engine.Version, o.Engine.API)
	j.text(maxError, o.Engine.Error)
	j.count(o.Engine.Free)
	seen := map[string]bool{}
	for _, s := range o.Slots {
		if seen[s.ID] {
			j.wrong("a slot stands twice")
		}
		seen[s.ID] = true
		j.slot(s)
	}
	return j.err
}

// A judgement keeps the first thing that is wrong.
type judgement struct{ err error }

func (j *judgement) wrong(what string) {
	if j.err == nil {
		j.err = fmt.Errorf("%w: %s", wire.ErrReport, what)
	}
}

func (j *judgement) slot(s hosting.Seen) {
	if len(s.Images) > maxImages || len(s.Containers) > maxContainers {
		j.wrong("a slot has too many images or containers")
		return
	}
	j.word(s.ID, s.Deployment)
	j.text(maxError, s.Error)
	switch s.Phase {
	case "", hosting.Pull, hosting.Run, hosting.Drain, hosting.Keep:
	default:
		j.wrong("a phase is none")
	}
	if s.Sessions < -1 || s.Requests < -1 {
		j.wrong("there are less than no sessions or requests")
	}
	for _, i := range s.Images {
		j.word(i.Service, i.Digest)
		j.text(maxError, i.Error)
		j.count(i.Bytes, i.Total)
	}
	for _, c := range s.Containers {
		j.word(c.ID, c.Service, c.State, c.Health)
		j.text(maxLog, c.Log, c.HealthLog)
		j.count(int64(c.Index), int64(c.Restarts))
	}
}

func (j *judgement) word(all ...string) { j.text(maxWord, all...) }

func (j *judgement) text(most int, all ...string) {
	for _, text := range all {
		if len(text) > most || !utf8.ValidString(text) {
			j.wrong("a text is longer than it may be, or no UTF-8")
		}
	}
}

func (j *judgement) count(all ...int64) {
	for _, n := range all {
		if n < 0 {
			j.wrong("a number is negative")
		}
	}
}
