package registry

import (
	"context"
	"sync"
	"time"

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

// FlushPulls writes what was counted to the operational store, from where
// package pulls writes each hour into the log. Called each second, it loses at most a second of counts when the process dies.
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
