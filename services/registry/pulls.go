package registry

import (
	"context"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/pulls"
)

// A pullCounter notes which manifests are used, and how often they are pulled,
// since the last flush.
//
// A use is every answer that says what a manifest is: GET, HEAD and 304. A pull
// is a GET that is answered with the manifest. It is one of the tag that it
// names. Docker and containerd ask for a tag by HEAD and then for the digest by
// GET: that is a pull of the tag, too.
type pullCounter struct {
	mu     sync.Mutex
	counts map[pulled]*tally
	looked lookedUp
}

type pulled struct{ repo, tag, digest string }

type tally struct {
	n    int64
	last time.Time
}

func newPullCounter() *pullCounter { return &pullCounter{counts: map[pulled]*tally{}} }

// pull notes that a manifest was sent to a client that asked for it by ref.
func (p *pullCounter) pull(by client, repo, ref, digest string) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := lookUp{by, repo, digest}
	if isDigest(ref) {
		p.note(now, repo, p.looked.tag(now, asked), digest, 1)
		return
	}
	p.looked.forget(asked)
	p.note(now, repo, ref, digest, 1)
}

// use notes that a client knows now what ref is, and did not get the manifest.
func (p *pullCounter) use(by client, repo, ref, digest string) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if isDigest(ref) {
		ref = ""
	} else {
		p.looked.add(now, lookUp{by, repo, digest}, ref)
	}
	p.note(now, repo, ref, digest, 0)
}

// note is called with the lock held.
func (p *pullCounter) note(now time.Time, repo, tag, digest string, n int64) {
	key := pulled{repo, tag, digest}
	t := p.counts[key]
	if t == nil {
		t = &tally{}
		p.counts[key] = t
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

// putBack counts again what take has given.
func (p *pullCounter) putBack(taken map[pulled]*tally) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, t := range taken {
		if since := p.counts[key]; since != nil {
			since.n += t.n
		} else {
			p.counts[key] = t
		}
	}
}

// FlushPulls writes what was counted to the operational store, from where
// package pulls writes each hour into the log. Called each second, it loses at most
// a second of counts when the process dies, and none when the store cannot be
// written: by these counts cleanup rules tell what is in use.
func (s *Registry) FlushPulls(ctx context.Context) error {
	counts := s.served.take()
	if counts == nil {
		return nil
	}
	list := make([]pulls.Pull, 0, 2*len(counts))
	for k, t := range counts {
		list = append(list, pulls.Pull{Hour: t.last, Repository: k.repo, Tag: k.tag, N: t.n, Latest: t.last},
			pulls.Pull{Hour: t.last, Repository: k.repo, Digest: digest.Digest(k.digest), N: t.n, Latest: t.last})
	}
	err := s.Pulls.Count(ctx, list)
	if err != nil {
		s.served.putBack(counts)
	}
	return err
}
