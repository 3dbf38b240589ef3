package access

import (
	"context"

	"hubledger/events"
	"hubledger/projections/accounts"
)

// A Reason is one thing that gives an account rights on a repository.
type Reason struct {
	Why   string // ByPublic, ByOwner, ByGrant or ByAdministrator
	Level Level  // what it allows
	Role  string // of a grant: read, write or admin
	Team  string // name of the team that a grant is to; "" for one to the account itself
	Wide  bool   // the grant is on the whole namespace
	Given accounts.Given
}

// Why an account has rights on a repository.
const (
	ByPublic        = "public"        // everybody may read it
	ByOwner         = "owner"         // of the namespace
	ByGrant         = "grant"         // of a role
	ByAdministrator = "administrator" // of the hub
)

// Explain says what a user or robot account may do with a repository that lives, by a
// credential that is good for all, and what gives it that. The level is the one that
// Repository decides; there are no reasons for an account that is disabled or erased.
func (r *Rights) Explain(ctx context.Context, a *accounts.Account, name string) (Level, []Reason, error) {
	p := Principal{Kind: User, ID: a.ID, Name: a.Name, Admin: a.Admin}
	if a.Kind == accounts.KindRobot {
		p.Kind = Robot
	}
	d, err := r.Repository(ctx, p, name)
	if err != nil || d.Repository == nil || d.Namespace == nil || !alive(a, p.Kind) {
		return d.Level, nil, err
	}
	reasons, err := r.reasons(ctx, a, &d)
	return d.Level, reasons, err
}

func (r *Rights) reasons(ctx context.Context, a *accounts.Account, d *Decision) ([]Reason, error) {
	roles, err := r.cfg.Read.Roles(ctx, a.ID, d.Namespace.ID, d.Repository.ID)
	if err != nil {
		return nil, err
	}
	var list []Reason
	if a.Admin {
		list = append(list, Reason{Why: ByAdministrator, Level: Admin})
	}
	first := ""
	if d.Namespace.Kind == "" {
		if first, err = r.cfg.Read.FirstAdmin(ctx); err != nil && !isUnknown(err) {
			return nil, err
		}
	}
	if ownsByItself(d.Namespace, a.ID, first) {
		list = append(list, Reason{Why: ByOwner, Level: Admin})
	}
	for _, role := range roles {
		var one standing
		one.add(d.Namespace, role)
		switch {
		case one.owner:
			list = append(list, Reason{Why: ByOwner, Level: Admin, Given: role.Given})
		case !role.Member && one.repository > None:
			list = append(list, Reason{Why: ByGrant, Level: one.repository, Role: role.Role, Team: role.Team, Wide: role.Wide, Given: role.Given})
		}
	}
	if d.Repository.Visibility == events.Public {
		list = append(list, Reason{Why: ByPublic, Level: Read})
	}
	return list, nil
}

// ownsByItself says whether a namespace is an account's without anybody having given
// it: a user's own, and, for the first administrator, one without a kind.
func ownsByItself(n *accounts.Namespace, account, firstAdmin string) bool {
	return n.Kind == events.KindUser && n.ID == account || n.Kind == "" && n.Name != Library && firstAdmin == account
}
