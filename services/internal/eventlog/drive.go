package eventlog

import (
	"context"
	"maps"
	"slices"

	"hubledger/projections/journal"
	"hubledger/projections/trail"
	"hubledger/services/internal/access"
)

// A driver gives the sequences among which a page looks, in order.
type driver struct {
	next func(ctx context.Context, in trail.Range, newestFirst bool, n int) ([]uint64, error)
	// narrow: the list is short by its nature, but may have events that the principal
	// may not read. Nothing of how long it is may be told: see Reader.scan.
	narrow bool
}

func (r *Reader) byLists(lists []trail.List) driver {
	return driver{next: func(ctx context.Context, in trail.Range, newestFirst bool, n int) ([]uint64, error) {
		return r.trail.Seqs(ctx, lists, in, newestFirst, n)
	}}
}

// byAll goes through the whole log.
func (r *Reader) byAll() driver { return driver{next: r.trail.All} }

// byJournal goes through chains and aggregates.
func (r *Reader) byJournal(chains, subjects []string) driver {
	return driver{narrow: true, next: func(ctx context.Context, in trail.Range, newestFirst bool, n int) ([]uint64, error) {
		var all []uint64
		for _, c := range chains {
			seqs, err := journal.OfChain(ctx, r.Journal, c, in.After, in.Before, newestFirst, n)
			if err != nil {
				return nil, err
			}
			all = append(all, seqs...)
		}
		for _, s := range subjects {
			seqs, err := journal.OfSubject(ctx, r.Journal, s, in.After, in.Before, newestFirst, n)
			if err != nil {
				return nil, err
			}
			all = append(all, seqs...)
		}
		slices.Sort(all)
		all = slices.Compact(all)
		if newestFirst {
			slices.Reverse(all)
		}
		return all[:min(n, len(all))], nil
	}}
}

// narrow is a driver by a condition that few events meet, if there is one.
func (r *Reader) narrow(conditions []condition) (driver, bool) {
	for _, c := range conditions {
		switch {
		case c.not:
		case c.name == "digest" || c.name == "commit":
			d := r.byLists(c.lists)
			d.narrow = true
			return d, true
		case c.name == "correlation" || c.name == "cause":
			return r.byJournal(c.chains, nil), true
		case c.name == "aggregate" && len(c.subject) > 0 && c.onlySubjects():
			return r.byJournal(nil, c.subject), true
		}
	}
	return driver{}, false
}

// onlySubjects says whether every value of the condition is a whole subject.
func (c *condition) onlySubjects() bool { return len(c.subject) == c.values }

// rarest is a driver by the list that goes back furthest with so many entries: the
// events that meet its condition are the rarest. It is for those who may read all.
func (r *Reader) rarest(ctx context.Context, conditions []condition, in trail.Range, newestFirst bool) (driver, error) {
	const probe = 200
	best, reach := r.byAll(), uint64(probe)
	for _, c := range conditions {
		if c.not || c.match != nil {
			continue
		}
		seqs, err := r.trail.Seqs(ctx, c.lists, in, newestFirst, probe)
		if err != nil {
			return best, err
		}
		span := ^uint64(0) // there are no more than these
		if len(seqs) == probe {
			first, last := seqs[0], seqs[probe-1]
			span = max(first, last) - min(first, last) + 1
		}
		if span > reach {
			best, reach = r.byLists(c.lists), span
		}
	}
	return best, nil
}

// within is a driver through what the holder may read: by the repositories or namespaces
// that the query names, or all of it. Nearly every event of its lists may be read, so how
// far a page comes tells nothing of others.
func (r *Reader) within(ctx context.Context, h *access.Holdings, conditions []condition) (driver, error) {
	for _, c := range conditions {
		if c.not || c.name != "repo" {
			continue
		}
		lists, err := r.ofRepositories(ctx, h, c.ids)
		return r.byLists(lists), err
	}
	lists, all, err := r.scopes(ctx, h)
	if err != nil || !all {
		return r.byAll(), err
	}
	return r.byLists(lists), nil
}

// ofRepositories are the lists of what the holder may read of some repositories.
func (r *Reader) ofRepositories(ctx context.Context, h *access.Holdings, ids []string) (lists []trail.List, err error) {
	public, err := r.Accounts.Public(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		namespace, err := r.namespaceOf(ctx, id)
		if err != nil {
			return nil, err
		}
		lists = append(lists, ofLevel(id, h.On(namespace, id, public[id]))...)
	}
	if h.Whole && h.Account != "" { // such as stars and grants of their own
		lists = append(lists, trail.Audience{Kind: trail.User, ID: h.Account}.Of())
	}
	return lists, nil
}

// ofLevel are the lists of what a level on a repository lets read.
func ofLevel(id string, level access.Level) (lists []trail.List) {
	for kind, need := range map[trail.Kind]access.Level{trail.RepositoryReader: access.Read, trail.RepositoryWriter: access.Write, trail.RepositoryAdmin: access.Admin} {
		if level >= need {
			lists = append(lists, trail.Audience{Kind: kind, ID: id}.Of())
		}
	}
	return lists
}

// namespaceOf is the id of the namespace of a repository, by the first event about it.
func (r *Reader) namespaceOf(ctx context.Context, repository string) (string, error) {
	seqs, err := r.trail.Seqs(ctx, trail.OfRepository(repository), trail.Range{}, false, 1)
	if err != nil || len(seqs) == 0 {
		return "", err
	}
	list, err := r.trail.Entries(ctx, seqs)
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0].Namespace, nil
}

// scopes are the lists that have all that the holder may read; all is false when that is
// in too many lists.
func (r *Reader) scopes(ctx context.Context, h *access.Holdings) (lists []trail.List, all bool, err error) {
	if h.All {
		return nil, false, nil
	}
	if h.Only != nil {
		lists, err = r.ofRepositories(ctx, h, slices.Collect(maps.Keys(h.Only)))
		return lists, len(lists) <= r.bounds.scopes, err
	}
	if h.Whole && h.Account != "" {
		lists = append(lists, trail.Audience{Kind: trail.User, ID: h.Account}.Of())
	}
	// What made a namespace is an event of the system, outside of it.
	for id := range h.Namespaces {
		lists = append(lists, trail.Audience{Kind: trail.NamespaceMember, ID: id}.Of())
	}
	for id := range h.Wide {
		lists = append(lists, trail.OfNamespace(id))
	}
	for id, level := range h.Repositories {
		lists = append(lists, ofLevel(id, level)...)
	}
	if len(lists) > r.bounds.scopes || !h.Public {
		return lists, len(lists) <= r.bounds.scopes, nil
	}
	public, err := r.Accounts.SomePublic(ctx, r.bounds.scopes+1)
	for _, id := range public {
		lists = append(lists, trail.Audience{Kind: trail.RepositoryReader, ID: id}.Of())
	}
	return lists, len(lists) <= r.bounds.scopes, err
}
