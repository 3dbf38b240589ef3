package access

import (
	"context"
	"errors"
	"slices"

	"hubledger/events"
	"hubledger/projections/accounts"
)

// Visible says what a principal may see, for searches and lists. What it
// points to is shared: it is for reading.
func (r *Rights) Visible(ctx context.Context, p Principal) (Visible, error) {
	v, err := r.reach(ctx, p)
	if err != nil {
		return Visible{}, err
	}
	seen := v.Visible
	seen.All = p.Admin && v.admin
	if p.Limit != nil {
		seen.Only = p.Limit.Repositories
		if p.Limit.Level < Read {
			seen = Visible{}
		}
	}
	return seen, nil
}

// reach is what an account sees, whatever the credential; All is not set.
type reach struct {
	Visible
	admin bool
}

// anyName is the cache's subject for what is not about a single name.
const anyName = ""

func (r *Rights) reach(ctx context.Context, p Principal) (*reach, error) {
	switch p.Kind {
	case Anonymous:
		return &reach{Visible: Visible{Public: true}}, nil
	case Operator:
		return &reach{Visible: Visible{Public: true}, admin: true}, nil
	}
	v, epoch := r.decisions.get(anyName, p.who())
	parked := r.cfg.View.HasParked()
	if v, ok := v.(*reach); ok && !parked {
		return v, nil
	}
	seen, err := r.readReach(ctx, p)
	if err != nil {
		return nil, err
	}
	if !parked {
		r.decisions.put(epoch, anyName, p.who(), seen)
	}
	return seen, nil
}

func (r *Rights) readReach(ctx context.Context, p Principal) (*reach, error) {
	a, err := r.cfg.Read.AccountByID(ctx, p.ID)
	switch {
	case isUnknown(err), err == nil && !alive(a, p.Kind):
		return &reach{}, nil
	case err != nil:
		return nil, err
	}
	if err := r.refuseParked(p, accountSubjects(a)); err != nil {
		return nil, err
	}
	v := &reach{Visible: Visible{Public: true}, admin: a.Admin}
	if a.Kind == accounts.KindUser {
		if err := r.owned(ctx, v, a); err != nil {
			return nil, err
		}
	}
	return v, r.granted(ctx, v, a)
}

// owned adds the namespaces that a user owns.
func (r *Rights) owned(ctx context.Context, v *reach, a *accounts.Account) error {
	v.Namespaces = append(v.Namespaces, a.ID)
	first, err := r.cfg.Read.FirstAdmin(ctx)
	if err != nil && !isUnknown(err) {
		return err
	}
	if first == a.ID {
		left, err := r.cfg.Read.Kindless(ctx)
		if err != nil {
			return err
		}
		v.Namespaces = append(v.Namespaces, left...)
	}
	members, err := r.cfg.Read.Memberships(ctx, a.ID)
	for _, m := range members {
		if m.Role == events.RoleOwner && m.Group == m.Organization && !r.anyParked(events.NamespaceSubject(m.GroupName),
			events.MembershipSubject(m.Organization, m.Group, a.ID)) {
			v.Namespaces = append(v.Namespaces, m.Organization)
		}
	}
	return err
}

// granted adds what was granted to an account or its teams.
func (r *Rights) granted(ctx context.Context, v *reach, a *accounts.Account) error {
	grants, err := r.cfg.Read.GrantsTo(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if r.grantParked(a, g) {
			continue
		}
		if g.Repository == "" {
			v.Namespaces = append(v.Namespaces, g.Namespace)
		} else {
			v.Repositories = append(v.Repositories, g.Repository)
		}
	}
	return nil
}

// grantParked says whether an aggregate that a grant depends on is parked.
func (r *Rights) grantParked(a *accounts.Account, g accounts.Grant) bool {
	if !r.cfg.View.HasParked() {
		return false
	}
	namespace := g.RepositoryName
	dependsOn := []string{events.GrantSubject(g.Namespace, g.Repository, g.Grantee)}
	if g.Repository != "" {
		namespace = NamespaceOf(g.RepositoryName)
		dependsOn = append(dependsOn, events.RepositorySubject(g.Namespace, g.RepositoryName))
	}
	dependsOn = append(dependsOn, events.NamespaceSubject(namespace))
	if g.GranteeKind == events.GranteeTeam {
		dependsOn = append(dependsOn, teamSubjects(g.Organization, g.Grantee, g.GranteeName, a.ID)...)
	}
	return r.anyParked(dependsOn...)
}

func (r *Rights) anyParked(subjects ...string) bool {
	return slices.ContainsFunc(subjects, r.cfg.View.IsParked)
}

func isUnknown(err error) bool { return errors.Is(err, accounts.ErrNotFound) }
