package registry

import (
	"context"
	"strings"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/images"
)

// fills bounds how often a book is filled anew when it is spoilt meanwhile.
const fills = 3

// book is that of a namespace, filled. What commits while the projection is
// read is added as it comes: what is held is a set, so that it does not matter
// when the projection shows it, too.
func (l *ledger) book(ctx context.Context, r images.Reader, ns string) (*book, error) {
	for try := 1; ; try++ {
		l.mu.Lock()
		b := l.books[ns]
		if b == nil {
			b = &book{held: map[uint64]struct{}{}, promised: map[uint64]*promise{}}
			l.books[ns] = b
		}
		version, filled := b.version, b.filled
		l.mu.Unlock()
		if filled {
			return b, nil
		}
		found, err := l.read(ctx, r, ns)
		if err != nil {
			return nil, err
		}
		l.mu.Lock()
		if b.version == version || try == fills {
			for _, it := range found {
				l.add(b, it)
			}
			b.filled = b.version == version // otherwise good for this once
			l.trim(b)
			l.mu.Unlock()
			return b, nil
		}
		l.mu.Unlock()
	}
}

func (l *ledger) read(ctx context.Context, r images.Reader, ns string) (found []item, err error) {
	seen := map[uint64]bool{}
	add := func(it item) {
		if !seen[it.key] {
			seen[it.key] = true
			found = append(found, it)
		}
	}
	err = r.NamespaceContent(ctx, ns,
		func(repo, sum []byte, size int64) { add(l.manifest(repo, sum, size)) },
		func(sum []byte, size int64) { add(l.blob(sum, size)) })
	return found, err
}

// trim forgets other books until what is kept is within bounds.
func (l *ledger) trim(keep *book) {
	for ns, b := range l.books {
		if l.entries <= maxLedger {
			return
		}
		if b != keep {
			l.forget(b)
			if len(b.promised) == 0 {
				delete(l.books, ns)
			}
		}
	}
}

// committed brings the books up to a commit of the projection.
func (l *ledger) committed(c projections.Commit, parked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.books) == 0 {
		return
	}
	if c.Events == nil || parked {
		for _, b := range l.books {
			l.forget(b)
		}
		return
	}
	for k := range c.Events {
		e := &c.Events[k]
		parts := strings.SplitN(e.Subject, ".", 4)
		if len(parts) != 4 {
			continue
		}
		b := l.books[parts[1]]
		if b == nil {
			continue
		}
		switch family, _, _ := events.SplitType(e.Type()); family {
		case "image.pushed":
			if !l.pushed(b, e) {
				l.forget(b)
			}
		case "manifest.deleted", "repository.deleted":
			b.loose = true
		case "tag.restored", "manifest.restored", "repository.restored":
			l.forget(b)
		}
	}
}

// pushed adds a push; false when it may have brought back what is not known here.
func (l *ledger) pushed(b *book, e *events.Event) bool {
	p, err := events.Decode(e)
	push, ok := p.(events.ImagePushed)
	if err != nil || !ok {
		return false
	}
	m, err := images.ParseManifest(push.Manifest)
	if err != nil {
		return false
	}
	for _, it := range l.itemsOf(push.Repository, push.Digest, m, int64(len(push.Manifest)), push.Absent) {
		l.add(b, it)
	}
	repo, _ := projections.IDBytes(push.Repository)
	for _, child := range m.Manifests {
		sum, err := images.DigestBytes(child.Digest)
		if err != nil {
			return false
		}
		if _, held := b.held[l.manifest(repo, sum, 0).key]; !held {
			return false
		}
	}
	return true
}
