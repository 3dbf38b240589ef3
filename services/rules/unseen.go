package rules

import (
	"context"
	"time"

	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/process"
)

// unseenAfter is how long a push waits for a node that can look at its commit. A node
// that can has tried for an hour by then, and given up by itself.
const unseenAfter = 2 * time.Hour

// unseen is the process manager, on nodes that cannot fetch, of pushes that no node has
// looked at: every file counts as changed then, and a file of rules is taken for a broken
// one, as when looking has failed. It waits anew after a start, since a node that can look
// may have been away for as long.
func (s *Rules) unseen(began time.Time) process.Manager {
	return process.Manager{
		Name:   "unseen-pushes",
		Source: "/rules",
		View:   s.View,
		Due: func(ctx context.Context, now time.Time) ([]process.Task, error) {
			if now.Sub(began) < unseenAfter {
				return nil, nil
			}
			all, err := s.due.list(ctx, s.Read, true)
			var list []process.Task
			for _, t := range all {
				p, _, err := s.duePush(ctx, t)
				if err != nil {
					return nil, err
				}
				if p != nil && now.Sub(p.Moved) >= unseenAfter {
					list = append(list, t)
				}
			}
			return list, err
		},
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			p, ref, err := s.duePush(ctx, t)
			if p == nil || err != nil {
				return nil, err
			}
			const why = "the hub cannot look at the commit, since none of its nodes can fetch: run one as root, with git, without --builder off"
			verdicts, file := buildrule.EvaluateLook(p.Rules, p.FromFile, ref, buildrule.Look{Every: why, BadFile: why})
			return evaluated(t, p, verdicts, file), nil
		},
	}
}
