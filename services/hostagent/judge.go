package hostagent

import (
	"fmt"
	"unicode/utf8"

	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/redact"
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

// judgeSight refuses what no host would say of a container.
func judgeSight(s hosting.Sight) error {
	j := judgement{}
	j.text(maxError, s.Error)
	if len(s.Lines) > hosting.MaxLines {
		return fmt.Errorf("%w: it has %d lines, and at most %d", wire.ErrReport, len(s.Lines), hosting.MaxLines)
	}
	size := 0
	for _, l := range s.Lines {
		j.text(hosting.MaxLine, l.Text)
		j.count(l.At)
		size += len(l.Text)
	}
	if size > hosting.MaxSight+hosting.MaxLine {
		j.wrong("its lines are longer than they may be")
	}
	if i := s.Inspect; i != nil {
		j.text(hosting.MaxLine, i.ID, i.Name, i.Image, i.State, i.Error, i.Health, i.User, i.Directory, i.Restart, i.StopSignal)
		for _, list := range [][]string{i.Entrypoint, i.Command, i.Variables, i.Ports, i.Networks, i.Mounts} {
			if len(list) > 500 {
				j.wrong("a list is longer than it may be")
			}
			j.text(hosting.MaxLine, list...)
		}
		for _, run := range i.Checks[:min(len(i.Checks), 20)] {
			j.text(hosting.MaxLine, run.Output)
		}
		if len(i.Checks) > 20 {
			j.wrong("there are too many runs of a check")
		}
	}
	if p := s.Top; p != nil {
		if len(p.Titles) > 20 || len(p.Rows) > hosting.MaxProcesses {
			j.wrong("there are more processes than there may be")
			return j.err
		}
		j.text(maxWord, p.Titles...)
		for _, row := range p.Rows {
			if len(row) > 20 {
				j.wrong("a row is longer than it may be")
			}
			j.text(hosting.MaxLine, row...)
		}
	}
	return j.err
}

// maskSight masks secrets in what a host says, which masks them, too, and is not trusted.
func maskSight(s *hosting.Sight, mask *redact.Set) {
	all := func(list []string) {
		for k := range list {
			list[k] = mask.String(list[k])
		}
	}
	for k := range s.Lines {
		s.Lines[k].Text = mask.String(s.Lines[k].Text)
	}
	if i := s.Inspect; i != nil {
		for _, text := range []*string{&i.Name, &i.Image, &i.State, &i.Error, &i.Health, &i.User, &i.Directory, &i.Restart, &i.StopSignal} {
			*text = mask.String(*text)
		}
		for _, list := range [][]string{i.Entrypoint, i.Command, i.Variables, i.Ports, i.Networks, i.Mounts} {
			all(list)
		}
		for k := range i.Checks {
			i.Checks[k].Output = mask.String(i.Checks[k].Output)
		}
	}
	if p := s.Top; p != nil {
		all(p.Titles)
		for _, row := range p.Rows {
			all(row)
		}
	}
}
