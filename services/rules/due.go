package rules

import (
	"context"
	"sync"

	"hubledger/projections/builds"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/process"
)

// A dueList finds the pushes that are due without looking at all refs again: it
// remembers for each repository up to which move there is none, and which of the others
// need a look at their commit.
type dueList struct {
	mu    sync.Mutex
	marks map[string]mark // by the id of the repository
}

// A mark holds as long as the feed has that version.
type mark struct {
	version uint64
	seq     uint64          // no move up to this one is due
	needs   map[string]bool // whether a due one needs a look, by the id of the event that asks for the evaluation
}

// list lists at most process.MaxDue tasks: those that need a look at the commit, or
// those that do not. Of each repository the first one comes first, then of each the
// second one, so that none waits for another's.
func (d *dueList) list(ctx context.Context, read builds.Reader, looks bool) ([]process.Task, error) {
	feeds, err := read.Feeds(ctx)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var rounds [][]process.Task
	marks := make(map[string]mark, len(feeds))
	for _, f := range feeds {
		m := d.marks[f.Repository]
		if m.version != f.Version {
			m = mark{version: f.Version}
		}
		var keys []builds.DueKey
		if m.seq < f.Newest {
			if keys, err = read.DuePushes(ctx, f.Repository, m.seq, process.MaxDue); err != nil {
				return nil, err
			}
			if m.seq = f.Newest; len(keys) > 0 {
				m.seq = keys[0].Seq - 1
			}
			if m.needs, err = needs(ctx, read, f, keys, m.needs); err != nil {
				return nil, err
			}
		}
		marks[f.Repository] = m
		n := 0
		for _, k := range keys {
			if m.needs[k.Cause] != looks {
				continue
			}
			if n == len(rounds) {
				rounds = append(rounds, nil)
			}
			rounds[n] = append(rounds[n], process.Task{Key: f.Repository + "/" + k.Cause, Cause: k.Cause, Correlation: k.Correlation})
			n++
		}
	}
	d.marks = marks
	var tasks []process.Task
	for _, round := range rounds {
		if tasks = append(tasks, round...); len(tasks) >= process.MaxDue {
			return tasks[:process.MaxDue], nil
		}
	}
	return tasks, nil
}

// needs says which moves need a look. known has some of the answers.
func needs(ctx context.Context, read builds.Reader, f builds.Feed, keys []builds.DueKey, known map[string]bool) (map[string]bool, error) {
	if !f.Looks || len(keys) == 0 {
		return nil, nil
	}
	rules, err := read.Rules(ctx, f.Repository)
	if err != nil {
		return nil, err
	}
	var set *buildrule.Set
	out := make(map[string]bool, len(keys))
	for _, k := range keys {
		if yes, ok := known[k.Cause]; ok {
			out[k.Cause] = yes
			continue
		}
		if set == nil {
			set = buildrule.Compile(rules.Rules)
		}
		ref, err := refOf(k.Ref, k.Pull, k.First, k.Requested)
		if err != nil {
			return nil, err
		}
		out[k.Cause] = set.NeedsLook(rules.FromFile, ref)
	}
	return out, nil
}
