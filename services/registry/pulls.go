package registry

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/services/registry/pulls"
)

// A pullCounter counts manifests served since the last flush.
type pullCounter struct {
	mu     sync.Mutex
	counts map[pulled]*tally
}

type pulled struct{ repo, tag string }

type tally struct {
	n    int64
	last time.Time
}

func newPullCounter() *pullCounter { return &pullCounter{counts: map[pulled]*tally{}} }

// count notes one fetch of a manifest by tag or by digest.
func (p *pullCounter) count(repo, ref string) {
	if isDigest(ref) {
		ref = ""
	}
	p.note(repo, ref, 1)
}

// asked notes that a tag was looked at by HEAD. That is no pull, but containerd
// does so before it pulls by digest: the tag is in use, and a cleanup rule must
// not take it for forgotten.
func (p *pullCounter) asked(repo, ref string) {
	if !isDigest(ref) {
		p.note(repo, ref, 0)
	}
}

func (p *pullCounter) note(repo, ref string, n int64) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.counts[pulled{repo, ref}]
	if t == nil {
		t = &tally{}
		p.counts[pulled{repo, ref}] = t
	}
	t.n += n
	t.last = now
}

func (p *pullCounter) take() map[pulled]*tally {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.counts) == 0 {
		return nil
	}
	taken := p.counts
	p.counts = map[pulled]*tally{}
	return taken
}

// FlushPulls writes what was counted to the operational store. Called each
// second, it loses at most a second of counts when the process dies.
func (s *Registry) FlushPulls(ctx context.Context) error {
	counts := s.served.take()
	if counts == nil {
		return nil
	}
	list := make([]pulls.Pull, 0, len(counts))
	for k, t := range counts {
		list = append(list, pulls.Pull{Hour: t.last, Repository: k.repo, Tag: k.tag, N: t.n, Latest: t.last})
	}
	return s.Pulls.Count(ctx, list)
}

// What one pulls.counted event lists is bounded, so that it stays a message of
// a few megabytes: tags beyond maxPullRows are counted by repository only, and
// of more than maxPulled repositories those with the fewest pulls are left out.
const (
	maxPullRows = 20_000
	maxPulled   = 20_000
)

// RecordPulls appends one pulls.counted event for each hour that has ended.
func (s *Registry) RecordPulls(ctx context.Context) error {
	hours, err := s.Pulls.Hours(ctx, time.Now(), 1000)
	if err != nil {
		return err
	}
	for _, h := range hours {
		hour, err := s.Pulls.ReadHour(ctx, h, uuid.NewString())
		if err != nil {
			return err
		}
		e, err := events.New(countsOf(s.Pulls.Node(), hour), events.Meta{ID: hour.Event, Source: "/registry/pulls", Actor: "system"})
		if err != nil {
			return err
		}
		// The subject is this node's own. Its last event may be this very hour's,
		// from an attempt whose end was not seen.
		last, err := s.Log.Last(ctx, e.Subject)
		if err != nil {
			return err
		}
		var expect uint64
		if last != nil {
			expect = last.Seq
		}
		if last == nil || last.ID() != hour.Event {
			if _, err := s.Log.Append(ctx, e, expect); err != nil {
				return err
			}
		}
		if err := s.Pulls.ClearHour(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// countsOf orders an hour's pulls by repository and tag.
func countsOf(node string, hour pulls.Hour) events.PullsCounted {
	slices.SortFunc(hour.Pulls, func(a, b pulls.Pull) int {
		if c := strings.Compare(a.Repository, b.Repository); c != 0 {
			return c
		}
		return strings.Compare(a.Tag, b.Tag)
	})
	e := events.PullsCounted{Node: node, From: hour.From.UTC(), Repositories: []events.RepositoryPulls{}}
	for k, p := range hour.Pulls {
		if n := len(e.Repositories); n == 0 || e.Repositories[n-1].Repository != p.Repository {
			e.Repositories = append(e.Repositories, events.RepositoryPulls{Repository: p.Repository})
		}
		r := &e.Repositories[len(e.Repositories)-1]
		r.Pulls += p.N
		if p.Latest.After(r.LastPulled) {
			r.LastPulled = p.Latest.UTC()
		}
		if p.Tag != "" && k < maxPullRows {
			r.Tags = append(r.Tags, events.TagPulls{Tag: p.Tag, Pulls: p.N, LastPulled: p.Latest.UTC()})
		}
	}
	if len(e.Repositories) > maxPulled {
		slices.SortStableFunc(e.Repositories, func(a, b events.RepositoryPulls) int { return cmp.Compare(b.Pulls, a.Pulls) })
		e.Repositories = e.Repositories[:maxPulled]
	}
	return e
}
