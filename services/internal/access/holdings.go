package access

import (
	"context"

	"hubledger/events"
	"hubledger/projections/accounts"
)

// Holdings are all rights of a principal, by id and whether or not what they are on was
// deleted: for decisions about what happened to it.
type Holdings struct {
	All     bool   // administers the hub, by a credential for all repositories
	Public  bool   // may see what is public
	Account string // id of the user whose account the credential is good for; "" for none
	Whole   bool   // the credential is good for all that its account may do
	Level   Level  // the most that the credential is good for

	Namespaces   map[string]Level // on the namespace as such: see Rights.Namespace
	Wide         map[string]Level // on all repositories of the namespace
	Repositories map[string]Level // on single ones
	Only         map[string]bool  // ids of the repositories that the credential is limited to; nil for no limit
}

// On is the level on a repository in a namespace, both by id.
func (h *Holdings) On(namespace, repository string, public bool) Level {
	level := max(h.Wide[namespace], h.Repositories[repository])
	if public && h.Public {
		level = max(level, Read)
	}
	if h.All {
		level = Admin
	}
	if h.Only != nil && !h.Only[repository] {
		return None
	}
	return min(level, h.Level)
}

// OnNamespace is the level on a namespace as such.
func (h *Holdings) OnNamespace(id string) Level {
	level := h.Namespaces[id]
	switch {
	case h.Only != nil:
		return None
	case h.All:
		level = Admin
	}
	return min(level, h.Level)
}

// Holdings says what a principal holds. The maps are shared: they are for reading. A
// credential that is limited to repositories shows only those that live. The error wraps
// ErrParked where the account's own event could not be applied.
func (r *Rights) Holdings(ctx context.Context, p Principal) (Holdings, error) {
	held, err := r.held(ctx, p)
	if err != nil {
		return Holdings{}, err
	}
	h := held.Holdings
	h.All = p.Administers() && held.All
	h.Whole, h.Level = true, Admin
	if p.Limit == nil {
		return h, nil
	}
	h.Level = p.Limit.Level
	h.Whole = h.Level >= Admin && p.Limit.Repositories == nil
	if p.Limit.Repositories == nil {
		return h, nil
	}
	h.All = false
	h.Only = map[string]bool{}
	for _, name := range p.Limit.Repositories {
		repo, err := r.cfg.Read.Repository(ctx, name)
		if err == nil {
			h.Only[repo.ID] = true
		} else if !isUnknown(err) {
			return Holdings{}, err
		}
	}
	return h, nil
}

// whatIsHeld is the cache's subject for holdings: no name has its first character.
const whatIsHeld = " holdings"

// held is what an account holds, whatever the credential. It is kept in memory, as type
// *held; no event of a repository changes it.
type held struct{ Holdings }

func (r *Rights) held(ctx context.Context, p Principal) (*held, error) {
	switch p.Kind {
	case Anonymous:
		return &held{Holdings{Public: true}}, nil
	case Operator:
		return &held{Holdings{Public: true, All: true}}, nil
	}
	v, epoch := r.decisions.get(whatIsHeld, p.who())
	parked := r.cfg.View.HasParked()
	if h, ok := v.(*held); ok && !parked {
		return h, nil
	}
	h, err := r.readHeld(ctx, p)
	if err == nil && !parked {
		r.decisions.put(epoch, whatIsHeld, p.who(), h)
	}
	return h, err
}

func (r *Rights) readHeld(ctx context.Context, p Principal) (*held, error) {
	a, err := r.cfg.Read.AccountByID(ctx, p.ID)
	switch {
	case isUnknown(err), err == nil && !alive(a, p.Kind):
		return &held{}, nil
	case err != nil:
		return nil, err
	}
	if err := r.refuseParked(p, accountSubjects(a)); err != nil {
		return nil, err
	}
	h := &held{Holdings{Public: true, All: a.Admin, Namespaces: map[string]Level{}, Wide: map[string]Level{}, Repositories: map[string]Level{}}}
	if a.Kind == accounts.KindUser {
		h.Account = a.ID
		owned := &reach{}
		if err := r.owned(ctx, owned, a); err != nil {
			return nil, err
		}
		for _, id := range owned.Visible.Namespaces {
			h.Namespaces[id], h.Wide[id] = Admin, Admin
		}
	}
	if err := r.joined(ctx, h, a); err != nil {
		return nil, err
	}
	return h, r.heldByGrants(ctx, h, a)
}

// joined adds the organizations that an account is a member of.
func (r *Rights) joined(ctx context.Context, h *held, a *accounts.Account) error {
	if a.Kind != accounts.KindUser {
		return nil
	}
	members, err := r.cfg.Read.Memberships(ctx, a.ID)
	for _, m := range members {
		if m.Group == m.Organization && !r.anyParked(events.NamespaceSubject(m.GroupName), events.MembershipSubject(m.Organization, m.Group, a.ID)) {
			h.Namespaces[m.Organization] = max(h.Namespaces[m.Organization], Read)
		}
	}
	return err
}

func (r *Rights) heldByGrants(ctx context.Context, h *held, a *accounts.Account) error {
	library, err := r.cfg.Read.Namespace(ctx, Library)
	if err != nil && !isUnknown(err) {
		return err
	}
	read := r.cfg.Read.GrantsEverTo
	if r.cfg.View.HasParked() { // what a grant on a deleted repository depends on is not known
		read = r.cfg.Read.GrantsTo
	}
	grants, err := read(ctx, a.ID)
	for _, g := range grants {
		if r.grantParked(a, g) {
			continue
		}
		level := levelOf(g.Role)
		if library != nil && g.Namespace == library.ID {
			level = min(level, Read)
		}
		if g.Repository != "" {
			h.Repositories[g.Repository] = max(h.Repositories[g.Repository], level)
			continue
		}
		h.Wide[g.Namespace] = max(h.Wide[g.Namespace], level)
		whole := standing{wide: level}
		h.Namespaces[g.Namespace] = max(h.Namespaces[g.Namespace], whole.namespace())
	}
	return err
}
