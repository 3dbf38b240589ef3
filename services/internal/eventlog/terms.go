package eventlog

import (
	"context"
	"errors"
	"strings"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/journal"
	"hubledger/projections/trail"
	"hubledger/services/internal/access"
	"hubledger/services/internal/eventquery"
	"hubledger/services/internal/repository"
)

// A condition is a group of a query as the read models can answer it: by lists, or by
// looking at the heads of events.
type condition struct {
	name    string
	not     bool
	lists   []trail.List             // when match is nil: in any of them
	match   func(*events.Event) bool // nil for lists
	chains  []string                 // correlations in which all that match are; for match only
	subject []string                 // subjects of all that match; for match only
	ids     []string                 // of repositories, or of namespaces
	values  int
}

// conditions translates a query. A name that nothing has matches nothing.
func (r *Reader) conditions(ctx context.Context, q eventquery.Query) (list []condition, err error) {
	for _, g := range q.Groups() {
		c := condition{name: g.Name, not: g.Not, values: len(g.Values)}
		for _, value := range g.Values {
			if err = r.add(ctx, &c, g.Name, value); err != nil {
				return nil, err
			}
		}
		switch g.Name {
		case "aggregate":
			c.match = matchAny(g.Values, matchAggregate)
		case "correlation":
			c.chains = g.Values
			c.match = matchAny(g.Values, func(value string, e *events.Event) bool { return e.Correlation() == value })
		case "cause":
			c.match = matchAny(g.Values, func(value string, e *events.Event) bool { return e.Cause() == value })
		}
		list = append(list, c)
	}
	return list, nil
}

func matchAny(values []string, match func(value string, e *events.Event) bool) func(*events.Event) bool {
	return func(e *events.Event) bool {
		for _, v := range values {
			if match(v, e) {
				return true
			}
		}
		return false
	}
}

// matchAggregate says whether a value means the aggregate of an event: it is its kind,
// its subject, or the beginning of that with a star.
func matchAggregate(value string, e *events.Event) bool {
	if beginning, ok := strings.CutSuffix(value, "*"); ok {
		return strings.HasPrefix(e.Subject, beginning)
	}
	if strings.Contains(value, ".") {
		return e.Subject == value
	}
	parts := strings.SplitN(e.Subject, ".", 4)
	return len(parts) == 4 && parts[2] == value
}

// add adds one value of a group.
func (r *Reader) add(ctx context.Context, c *condition, name, value string) error {
	var lists []trail.List
	var err error
	switch name {
	case "type":
		lists = typeLists(value)
	case "actor":
		lists = []trail.List{trail.OfActor(value)}
	case "digest":
		lists, err = r.trail.DigestsBeginning(ctx, eventquery.DigestDigits(value))
	case "commit":
		lists, err = r.trail.CommitsBeginning(ctx, value)
	case "repo":
		var ids []string
		ids, err = r.repositories(ctx, value)
		for _, id := range ids {
			lists = append(lists, trail.OfRepository(id)...)
		}
		c.ids = append(c.ids, ids...)
	case "namespace":
		ns, nerr := r.Accounts.Namespace(ctx, value)
		if err = nerr; errors.Is(err, accounts.ErrNotFound) {
			err = nil
		} else if err == nil {
			c.ids = append(c.ids, ns.ID)
			lists = []trail.List{trail.OfNamespace(ns.ID)}
		}
	case "aggregate":
		if strings.Contains(value, ".") && !strings.HasSuffix(value, "*") {
			c.subject = append(c.subject, value)
		}
	case "cause":
		var chain string
		if chain, err = r.chainOf(ctx, value); chain != "" {
			c.chains = append(c.chains, chain)
		}
	}
	c.lists = append(c.lists, lists...)
	return err
}

// typeLists are the lists of all types that a value means; of what this program does
// not know only the type of just that name.
func typeLists(value string) []trail.List {
	var lists []trail.List
	for _, t := range events.Types {
		if name := t.Prototype.EventType(); eventquery.MatchType(value, name) {
			lists = append(lists, trail.OfType(name))
		}
	}
	if lists == nil {
		lists = []trail.List{trail.OfType(value)}
	}
	return lists
}

// maxReused is how many repositories of one name are looked for, the latest first.
const maxReused = 25

// repositories are the ids of all repositories that have had that name.
func (r *Reader) repositories(ctx context.Context, value string) (ids []string, err error) {
	name, err := repository.ParseName(value)
	if err != nil {
		return nil, nil // nothing has it
	}
	ns, err := r.Accounts.Namespace(ctx, access.NamespaceOf(name.Full))
	if errors.Is(err, accounts.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	created, err := journal.Created(ctx, r.Journal, events.RepositorySubject(ns.ID, name.Full), "repository.created.v1", maxReused)
	for k := range created {
		if p, derr := events.Decode(&created[k].Event); derr == nil {
			if c, ok := p.(events.RepositoryCreated); ok {
				ids = append(ids, c.Repository)
			}
		}
	}
	return ids, err
}

// find is the sequence of the event with that id, 0 for none.
func (r *Reader) find(ctx context.Context, id string) (uint64, error) {
	seqs, err := r.trail.Seqs(ctx, []trail.List{trail.OfID(id)}, trail.Range{}, false, 1)
	if err != nil || len(seqs) == 0 {
		return 0, err
	}
	return seqs[0], nil
}

// chainOf is the correlation of the event with that id, "" when there is none.
func (r *Reader) chainOf(ctx context.Context, id string) (string, error) {
	seq, err := r.find(ctx, id)
	if err != nil || seq == 0 {
		return "", err
	}
	heads, err := journal.Heads(ctx, r.Journal, []uint64{seq})
	if err != nil || len(heads) == 0 {
		return "", err
	}
	return heads[0].Correlation(), nil
}

// keep are those of the sequences that meet the condition, in their order.
func (r *Reader) keep(ctx context.Context, c *condition, seqs []uint64) ([]uint64, error) {
	var has map[uint64]bool
	if c.match == nil {
		var err error
		if has, err = r.trail.Having(ctx, c.lists, seqs); err != nil {
			return nil, err
		}
	} else {
		heads, err := journal.Heads(ctx, r.Journal, seqs)
		if err != nil {
			return nil, err
		}
		has = map[uint64]bool{}
		for k := range heads {
			has[heads[k].Seq] = c.match(&heads[k].Event)
		}
	}
	var kept []uint64
	for _, seq := range seqs {
		if has[seq] != c.not {
			kept = append(kept, seq)
		}
	}
	return kept, nil
}
