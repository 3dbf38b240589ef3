package pulls

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/services/internal/process"
)

// managerName is in the ids of events.
const managerName = "pull-counts"

// Manager is the process manager that writes what was pulled into the log: one
// pulls.counted event for each hour that has ended. The hour's counts go when
// its event is there.
func Manager(s *Store) process.Manager {
	return process.Manager{
		Name:   managerName,
		Source: "/registry/pulls",
		Every:  time.Minute,
		// An hour that is not written down is lost for statistics: it is tried for ever.
		Backoff: process.Backoff{Attempts: process.Unlimited},
		Due: func(ctx context.Context, now time.Time) ([]process.Task, error) {
			hours, err := s.Hours(ctx, now, process.MaxDue)
			tasks := make([]process.Task, len(hours))
			for i, h := range hours {
				tasks[i] = process.Task{Key: hourKey(s.Node(), h)}
			}
			return tasks, err
		},
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			from, err := hourOf(t.Key)
			if err != nil {
				return nil, err
			}
			// An hour that an earlier version has closed keeps the event id it had.
			hour, err := s.ReadHour(ctx, from, process.EventID(managerName, t))
			if err != nil {
				return nil, err
			}
			return &process.Completion{Event: countsOf(s.Node(), hour), ID: hour.Event}, nil
		},
		Done: func(ctx context.Context, t process.Task) error {
			hour, err := hourOf(t.Key)
			if err != nil {
				return err
			}
			return s.ClearHour(ctx, hour)
		},
	}
}

// hourKey names an hour of one node: the hours of another have other events.
func hourKey(node string, hour time.Time) string { return node + "/" + hour.UTC().Format(time.RFC3339) }

func hourOf(key string) (time.Time, error) {
	_, text, _ := strings.Cut(key, "/")
	hour, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return hour, fmt.Errorf("%q names no hour: %w", key, err)
	}
	return hour, nil
}

// countsOf orders an hour's pulls by repository, then tag or digest.
func countsOf(node string, hour Hour) events.PullsCounted {
	slices.SortFunc(hour.Pulls, func(a, b Pull) int {
		return cmp.Or(strings.Compare(a.Repository, b.Repository), strings.Compare(a.Tag, b.Tag), cmp.Compare(a.Digest, b.Digest))
	})
	e := events.PullsCounted{Node: node, From: hour.From.UTC(), Repositories: []events.RepositoryPulls{}}
	for _, p := range hour.Pulls {
		if n := len(e.Repositories); n == 0 || e.Repositories[n-1].Repository != p.Repository {
			e.Repositories = append(e.Repositories, events.RepositoryPulls{Repository: p.Repository})
		}
		r := &e.Repositories[len(e.Repositories)-1]
		if p.Latest.After(r.LastPulled) {
			r.LastPulled = p.Latest.UTC()
		}
		if p.Digest != "" {
			r.Manifests = append(r.Manifests, events.ManifestPulls{Digest: p.Digest, Pulls: p.N, LastPulled: p.Latest.UTC()})
			continue
		}
		r.Pulls += p.N
		if p.Tag != "" {
			r.Tags = append(r.Tags, events.TagPulls{Tag: p.Tag, Pulls: p.N, LastPulled: p.Latest.UTC()})
		}
	}
	return e
}
