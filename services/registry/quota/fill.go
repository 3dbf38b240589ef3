package quota

import (
	"context"
	"strings"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/images"
)

// maxFills bounds how often a namespace is read again because a commit made
// worthless what was being read.
const maxFills = 3

// filled is a namespace that was read. What is committed while the read model
// is read is added as it comes: what is held is a set, so that it does not
// matter when the read model shows it, too.
func (u *Usage) filled(ctx context.Context, ns Namespace) (*namespace, error) {
	for try := 1; ; try++ {
		u.mu.Lock()
		n := u.namespaces[ns.ID]
		if n == nil {
			n = &namespace{Namespace: ns, held: map[uint64]struct{}{}, promised: map[uint64]*promise{}, uploads: map[string]upload{}}
			u.namespaces[ns.ID], u.byName[ns.Name] = n, n
		}
		version, filled := n.version, n.filled
		u.mu.Unlock()
		if filled {
			return n, nil
		}
		found, err := u.content(ctx, ns.ID)
		if err != nil {
			return nil, err
		}
		leased, err := u.leased(ctx, ns)
		if err != nil {
			return nil, err
		}
		u.mu.Lock()
		if n.version == version || try == maxFills {
			for _, it := range found {
				u.add(n, it)
			}
			for _, l := range leased {
				u.lease(n, l)
			}
			n.filled = n.version == version // otherwise good for this once
			u.trim(n)
			u.mu.Unlock()
			return n, nil
		}
		u.mu.Unlock()
	}
}

// content reads what a namespace holds, each thing once.
func (u *Usage) content(ctx context.Context, ns string) (found []item, err error) {
	seen := map[uint64]bool{}
	add := func(it item) {
		if !seen[it.key] {
			seen[it.key] = true
			found = append(found, it)
		}
	}
	err = u.read.NamespaceContent(ctx, ns,
		func(repo, sum []byte, size int64) { add(u.manifest(repo, sum, size)) },
		func(sum []byte, size int64) { add(u.blob(sum, size)) })
	return found, err
}

// trim forgets other namespaces until what is known is within bounds.
func (u *Usage) trim(keep *namespace) {
	for id, n := range u.namespaces {
		if u.entries <= maxEntries {
			return
		}
		if n != keep {
			u.forget(n)
			if len(n.promised)+len(n.uploads) == 0 {
				delete(u.namespaces, id)
				delete(u.byName, n.Name)
			}
		}
	}
}

// Committed follows a commit of the read model. parked says whether the read
// model has set any event aside.
func (u *Usage) Committed(c projections.Commit, parked bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.namespaces) == 0 {
		return
	}
	if c.Events == nil || parked {
		for _, n := range u.namespaces {
			u.forget(n)
		}
		return
	}
	for k := range c.Events {
		e := &c.Events[k]
		parts := strings.SplitN(e.Subject, ".", 4)
		if len(parts) != 4 {
			continue
		}
		n := u.namespaces[parts[1]]
		if n == nil {
			continue
		}
		switch family, _, _ := events.SplitType(e.Type()); family {
		case "image.pushed":
			if !u.pushed(n, e) {
				u.forget(n)
			}
		case "image.tagged":
			if !u.tagged(n, e) {
				u.forget(n)
			}
		case "manifest.deleted", "repository.deleted":
			n.overstate = true
		case "tag.restored", "manifest.restored", "repository.restored":
			u.forget(n)
		}
	}
}

// tagged looks at the push of a manifest that was there already; false when it
// may have brought one back that is not known here.
func (u *Usage) tagged(n *namespace, e *events.Event) bool {
	p, err := events.Decode(e)
	tag, ok := p.(events.ImageTagged)
	if err != nil || !ok {
		return false
	}
	repo, _ := projections.IDBytes(tag.Repository)
	sum, err := images.DigestBytes(tag.Digest)
	if err != nil {
		return false
	}
	_, held := n.held[u.manifest(repo, sum, 0).key]
	return held
}

// pushed adds a push; false when it may have brought back things that are not
// known here.
func (u *Usage) pushed(n *namespace, e *events.Event) bool {
	p, err := events.Decode(e)
	push, ok := p.(events.ImagePushed)
	if err != nil || !ok {
		return false
	}
	m, err := images.ParseManifest(push.Manifest)
	if err != nil {
		return false
	}
	for _, it := range u.items(Push{Repository: push.Repository, Digest: push.Digest, Size: int64(len(push.Manifest)),
		Manifest: m, Absent: push.Absent, Blobs: push.Blobs}) {
		u.add(n, it)
	}
	repo, _ := projections.IDBytes(push.Repository)
	for _, child := range m.Children() {
		sum, err := images.DigestBytes(child)
		if err != nil {
			return false
		}
		if _, held := n.held[u.manifest(repo, sum, 0).key]; !held {
			return false
		}
	}
	return true
}
