package access

import (
	"context"
	"slices"
	"strings"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/command"
)

// Library is the namespace of top-level images: only administrators of the hub
// push there.
const Library = "library"

// Repository decides what a principal may do with a repository's full name, as
// repository.ParseName gives it, by what its account may do now and what its
// credential is good for. What the Decision points to is shared: it is for
// reading. The error wraps ErrParked where the decision depends on an event that
// could not be applied.
//
// Before it says that there is nothing of that name, or nothing that the principal may see,
// it waits, bounded, until the accounts have what the log has.
func (r *Rights) Repository(ctx context.Context, p Principal, name string) (Decision, error) {
	at := r.cfg.View.Position()
	d, err := r.decide(ctx, p, name)
	if err == nil && d.Level < Read && command.Since(at, r.cfg.Log, r.cfg.View).Missed(ctx) {
		return r.decide(ctx, p, name)
	}
	return d, err
}

func (r *Rights) decide(ctx context.Context, p Principal, name string) (Decision, error) {
	if p.Kind == Host {
		return r.ofHost(ctx, p, name)
	}
	k, err := r.known(ctx, p, name)
	if err != nil {
		return Decision{}, err
	}
	d := k.decision
	if p.Admin && k.admin {
		d.Create = d.Repository == nil && (d.Namespace != nil || NamespaceOf(name) == Library)
		if d.Repository != nil || d.Create {
			d.Level = Admin
		}
	}
	return p.Limit.on(d, name), nil
}

// NamespaceOf is the namespace in which a full name is.
func NamespaceOf(name string) string {
	first, _, nested := strings.Cut(name, "/")
	if !nested {
		return Library
	}
	return first
}

// on narrows a decision to what the limit allows.
func (l *Limit) on(d Decision, name string) Decision {
	if l == nil {
		return d
	}
	d.Level = min(d.Level, l.Level)
	if l.Repositories != nil && !slices.Contains(l.Repositories, name) {
		d.Level = None
	}
	d.Create = d.Create && d.Level >= Write
	if d.Repository == nil && !d.Create {
		d.Level = None
	}
	return d
}

// Namespace decides what a principal may do with a namespace as such: Admin
// for its owner, Write for who may create repositories in it, Read for a
// member of its organization. It is nil when there is none of that name. A
// credential limited to some repositories has None.
func (r *Rights) Namespace(ctx context.Context, p Principal, name string) (Level, *accounts.Namespace, error) {
	s, place, err := r.look(ctx, p, name, "")
	if err != nil || place.Namespace == nil {
		return None, nil, err
	}
	level := s.namespace()
	if p.Admin && s.admin {
		level = Admin
	}
	if level > None {
		if err := r.refuseParked(p, s.dependsOn); err != nil {
			return None, place.Namespace, err
		}
	}
	if p.Limit != nil {
		level = min(level, p.Limit.Level)
		if p.Scoped() {
			level = None
		}
		if level == Delete { // there is no such level here
			level = Write
		}
	}
	return level, place.Namespace, nil
}

// known is what an account may do with a name, whatever the limit of the
// credential. It is kept in memory.
type known struct {
	decision Decision
	admin    bool // the account is an administrator of the hub
}

func (r *Rights) known(ctx context.Context, p Principal, name string) (*known, error) {
	v, epoch := r.decisions.get(name, p.who())
	parked := r.cfg.View.HasParked()
	if k, ok := v.(*known); ok && !parked {
		return k, nil
	}
	s, place, err := r.look(ctx, p, NamespaceOf(name), name)
	if err != nil {
		return nil, err
	}
	k := &known{Decision{Repository: place.Repository, Namespace: place.Namespace}, s.admin}
	switch {
	case place.Repository != nil:
		k.decision.Level = s.repository
		if place.Repository.Visibility == events.Public && s.active {
			k.decision.Level = max(k.decision.Level, Read)
		}
	case place.Namespace != nil && s.wide >= Write:
		k.decision.Create, k.decision.Level = true, Admin
	}
	if parked {
		if k.decision.Level > None || s.admin {
			err = r.refuseParked(p, s.dependsOn)
		}
		return k, err
	}
	r.decisions.put(epoch, name, p.who(), k)
	return k, nil
}
