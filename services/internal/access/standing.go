package access

import (
	"context"
	"fmt"
	"strings"

	"hubledger/events"
	"hubledger/projections/accounts"
)

// A standing is what an account may do in one namespace.
type standing struct {
	active     bool     // may do anything at all
	admin      bool     // is an administrator of the hub
	owner      bool     // of the namespace
	member     bool     // of the organization
	wide       Level    // on all that the namespace has
	repository Level    // on the repository asked for
	dependsOn  []string // subjects of the aggregates that the standing depends on; only while something is parked
}

// namespace is what the account may do with the namespace as such.
func (s *standing) namespace() Level {
	switch {
	case s.owner:
		return Admin
	case s.wide >= Write:
		return Write
	case s.member || s.wide >= Read:
		return Read
	}
	return None
}

// look reads what a name stands for and the standing of the principal's account
// there. It makes the same queries whether or not the name exists. name may be
// empty.
func (r *Rights) look(ctx context.Context, p Principal, namespace, name string) (standing, accounts.Resolved, error) {
	place, err := r.cfg.Read.Resolve(ctx, namespace, name)
	if err != nil {
		return standing{}, place, err
	}
	var s standing
	switch p.Kind {
	case Anonymous:
		s.active = true
	case Operator:
		s.active, s.admin = true, true
	case User, Robot:
		if s, err = r.standing(ctx, p, place); err != nil {
			return standing{}, place, err
		}
	}
	if r.cfg.View.HasParked() {
		s.dependsOn = append(s.dependsOn, events.NamespaceSubject(namespace))
		if place.Namespace != nil && name != "" {
			s.dependsOn = append(s.dependsOn, events.RepositorySubject(place.Namespace.ID, name))
		}
	}
	return s, place, nil
}

func (r *Rights) standing(ctx context.Context, p Principal, place accounts.Resolved) (standing, error) {
	var s standing
	a, err := r.cfg.Read.AccountByID(ctx, p.ID)
	if err != nil && !isUnknown(err) {
		return s, err
	}
	var namespace, repository string
	if place.Namespace != nil {
		namespace = place.Namespace.ID
	}
	if place.Repository != nil {
		repository = place.Repository.ID
	}
	roles, err := r.cfg.Read.Roles(ctx, p.ID, namespace, repository)
	if err != nil && !isUnknown(err) {
		return s, err
	}
	if a == nil || !alive(a, p.Kind) {
		return s, nil
	}
	s.active, s.admin = true, a.Admin
	if n := place.Namespace; n != nil {
		s.owner = ownsByItself(n, a.ID, place.FirstAdmin)
		for _, role := range roles {
			s.add(n, role)
		}
		if s.owner {
			s.wide, s.repository = Admin, Admin
		}
	}
	if r.cfg.View.HasParked() {
		s.dependsOn = dependencies(a, namespace, repository, roles)
	}
	return s, nil
}

// alive says whether an account may do anything, and is of the kind that the
// principal has.
func alive(a *accounts.Account, kind Kind) bool {
	return !a.Disabled && !a.Erased && (kind == User && a.Kind == accounts.KindUser || kind == Robot && a.Kind == accounts.KindRobot)
}

func (s *standing) add(n *accounts.Namespace, role accounts.Role) {
	if role.Member {
		s.member = s.member || n.Kind == events.KindOrganization
		s.owner = s.owner || n.Kind == events.KindOrganization && role.Role == events.RoleOwner
		return
	}
	level := levelOf(role.Role)
	if n.Name == Library {
		level = min(level, Read)
	}
	s.repository = max(s.repository, level)
	if role.Wide {
		s.wide = max(s.wide, level)
	}
}

// levelOf is what a role on a repository allows.
func levelOf(role string) Level {
	switch role {
	case events.RoleRead:
		return Read
	case events.RoleWrite:
		return Delete
	case events.RoleAdmin:
		return Admin
	}
	return None
}

// accountSubjects are the subjects of the aggregates that an account depends on.
func accountSubjects(a *accounts.Account) []string {
	if a.Kind == accounts.KindRobot {
		organization, name, _ := strings.Cut(a.Name, "+")
		return []string{events.RobotSubject(a.Namespace, name), events.NamespaceSubject(organization)}
	}
	return []string{events.UserSubject(a.ID), events.NamespaceSubject(a.Name)}
}

func dependencies(a *accounts.Account, namespace, repository string, roles []accounts.Role) []string {
	list := accountSubjects(a)
	for _, role := range roles {
		if role.Member {
			list = append(list, events.MembershipSubject(namespace, namespace, a.ID))
			continue
		}
		on := repository
		if role.Wide {
			on = ""
		}
		list = append(list, events.GrantSubject(namespace, on, role.Grantee))
		if role.Team != "" {
			list = append(list, teamSubjects(role.Organization, role.Grantee, role.Team, a.ID)...)
		}
	}
	return list
}

// teamSubjects are those of the aggregates that make a user a member of a team.
func teamSubjects(organization, team, name, user string) []string {
	return []string{events.TeamSubject(organization, name), events.MembershipSubject(organization, team, user),
		events.MembershipSubject(organization, organization, user)}
}

// refuseParked is ErrParked when any of the subjects is parked. The operator may
// go on, to repair it.
func (r *Rights) refuseParked(p Principal, subjects []string) error {
	if p.Kind == Operator {
		return nil
	}
	for _, s := range subjects {
		if r.cfg.View.IsParked(s) {
			return fmt.Errorf("%w: %s", ErrParked, s)
		}
	}
	return nil
}
