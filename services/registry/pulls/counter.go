package pulls

import (
	"context"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// A Counter notes which manifests are used, and how often they are pulled,
// since the last flush.
//
// A use is every answer that says what a manifest is: GET, HEAD and 304. A pull
// is a GET that is answered with the manifest. It is one of the tag that it
// names. Docker and containerd ask for a tag by HEAD and then for the digest by
// GET: that is a pull of the tag, too.
type Counter struct {
	mu     sync.Mutex
	counts map[pulled]*tally
	looked lookedUp
}

type pulled struct{ repo, tag, digest string }

type tally struct {
	n    int64
	last time.Time
}

// NewCounter has nothing counted.
func NewCounter() *Counter { return &Counter{counts: map[pulled]*tally{}} }

// Pull notes that a manifest was sent to a client that asked for it by a tag or,
// with an empty one, by its digest.
func (p *Counter) Pull(by Client, repo, tag, digest string) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := lookUp{by, repo, digest}
	if tag == "" {
		tag = p.looked.tag(now, asked)
	} else {
		p.looked.forget(asked)
	}
	p.note(now, repo, tag, digest, 1)
}

// Use notes that a client that asked as for Pull knows now what is there, and did
// not get the manifest.
func (p *Counter) Use(by Client, repo, tag, digest string) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if tag != "" {
		p.looked.add(now, lookUp{by, repo, digest}, tag)
	}
	p.note(now, repo, tag, digest, 0)
}

// note is called with the lock held.
func (p *Counter) note(now time.Time, repo, tag, digest string, n int64) {
	key := pulled{repo, tag, digest}
	t := p.counts[key]
	if t == nil {
		t = &tally{}
		p.counts[key] = t
	}
	t.n += n
	t.last = now
}

func (p *Counter) take() map[pulled]*tally {
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
func (p *Counter) putBack(taken map[pulled]*tally) {
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

// Flush writes what was counted to a store, from where Manager writes each hour
// into the log. Called each second, it loses at most a second of counts when the
// process dies, and none when the store cannot be written: by these counts
// cleanup rules tell what is in use.
func (p *Counter) Flush(ctx context.Context, to *Store) error {
	counts := p.take()
	if counts == nil {
		return nil
	}
	list := make([]Pull, 0, 2*len(counts))
	for k, t := range counts {
		list = append(list, Pull{Hour: t.last, Repository: k.repo, Tag: k.tag, N: t.n, Latest: t.last},
			Pull{Hour: t.last, Repository: k.repo, Digest: digest.Digest(k.digest), N: t.n, Latest: t.last})
	}
	err := to.Count(ctx, list)
	if err != nil {
		p.putBack(counts)
	}
	return err
}
