package accounts

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"hubledger/events"
	"hubledger/projections"
)

var (
	num  = projections.IntValue
	raw  = projections.BytesValue
	text = projections.TextValue
)

// wholeNamespace stands for a repository's id in a grant on the whole namespace.
var wholeNamespace = raw([]byte{})

func apply(e *events.Event, ops *projections.Ops) error {
	p, err := events.Decode(e)
	if err != nil {
		return err
	}
	a := &applier{ops: ops, seq: num(int64(e.Seq)), time: num(e.Time().UnixMicro()), actor: e.Actor()}
	if !a.account(p) && !a.organization(p) && !a.repository(p) && !a.machine(p) {
		return fmt.Errorf("event %d: %s is listed but not handled", e.Seq, e.Type())
	}
	return errors.Join(a.errs...)
}

// An applier writes the rows of one event and collects its errors.
type applier struct {
	ops       *projections.Ops
	seq, time projections.Value
	actor     string
	errs      []error
}

func (a *applier) id(s string) projections.Value {
	id, err := projections.IDBytes(s)
	if err != nil {
		a.errs = append(a.errs, err)
	}
	return raw(id)
}

func (a *applier) write(t *projections.Table, row ...projections.Value) bool {
	a.ops.Write(t, row...)
	return true
}

func flag(on bool) projections.Value {
	if on {
		return num(1)
	}
	return num(0)
}

// account handles the events of users, their tokens and namespaces. It returns
// false for others.
func (a *applier) account(p events.Payload) bool {
	switch p := p.(type) {
	case events.HubInitialized:
		return a.write(hub, num(0), a.id(p.Admin), a.time)
	case events.NamespaceCreated:
		return a.write(namespaces, text(p.Name), a.id(p.Namespace), text(p.Kind), text(a.actor), a.time, a.seq)
	case events.NamespaceAdopted:
		return a.write(namespaces, text(p.Name), a.id(p.Namespace), text(p.Kind), text(a.actor), a.time, a.seq)
	case events.QuotaSet:
		return a.write(quotas, a.id(p.Namespace), num(p.Bytes), num(p.Images), a.seq)
	case events.UserStandingChanged:
		return a.write(standings, a.id(p.User), flag(p.Admin), flag(p.Disabled), a.seq)
	case events.UserPasswordChanged:
		return a.write(passwords, a.id(p.User), a.seq)
	case events.UserSecondFactorChanged:
		factor := raw([]byte{})
		if p.Factor != "" {
			factor = a.id(p.Factor)
		}
		return a.write(secondFactors, a.id(p.User), factor, a.seq)
	case events.UserEmailChanged:
		return a.write(emails, a.id(p.User), flag(p.Set), a.seq)
	case events.UserErased:
		return a.write(erasures, a.id(p.User), a.time)
	case events.TokenIssued:
		return a.token(p)
	case events.TokenRevoked:
		a.ops.Delete(live, a.id(p.Namespace), a.id(p.Token))
		return a.write(revocations, a.id(p.Token), a.time)
	}
	return false
}

func (a *applier) token(p events.TokenIssued) bool {
	level := p.Level
	if p.Kind == events.TokenLogin {
		level = events.LevelDelete // earlier versions wrote admin
	}
	for _, issuer := range p.Issuers {
		a.write(issuers, a.id(p.Token), a.id(issuer), a.id(p.Namespace))
	}
	var expires int64
	if p.Expires != nil {
		expires = p.Expires.UnixMicro()
	}
	a.write(live, a.id(p.Namespace), a.id(p.Token), a.id(p.Owner), text(p.Kind), num(expires), a.seq)
	return a.write(tokens, a.id(p.Token), a.id(p.Namespace), text(p.Kind), a.id(p.Owner), text(p.OwnerKind), text(p.Name),
		raw(p.Hash), text(level), texts(p.Repositories), texts(p.Issuers), a.time, num(expires), a.seq)
}

// texts is a list as JSON, empty for nil.
func texts(list []string) projections.Value {
	if list == nil {
		return text("")
	}
	encoded, _ := json.Marshal(list) // strings only: cannot fail
	return text(string(encoded))
}

// organization handles the events of members, teams, robot accounts and grants.
func (a *applier) organization(p events.Payload) bool {
	switch p := p.(type) {
	case events.MembershipInvited:
		return a.write(invitations, a.id(p.Organization), a.id(p.User), text(p.Role), text(a.actor), a.time, num(p.Expires.UnixMicro()), a.seq)
	case events.MembershipUninvited:
		return a.uninvited(p.Organization, p.User)
	case events.MembershipGranted:
		if p.Group == p.Organization {
			a.uninvited(p.Organization, p.User)
		}
		return a.write(memberships, a.id(p.Group), a.id(p.User), a.id(p.Organization), text(p.Role), text(a.actor), a.time, a.seq)
	case events.MembershipRevoked:
		if p.Group == p.Organization {
			a.write(departures, a.id(p.Organization), a.id(p.User), a.seq)
			a.uninvited(p.Organization, p.User)
		}
		return a.write(memberships, a.id(p.Group), a.id(p.User), a.id(p.Organization), text(""), text(a.actor), a.time, a.seq)
	case events.TeamCreated:
		return a.write(teams, a.id(p.Team), a.id(p.Organization), text(p.Name), text(p.Description), a.time, num(0), a.seq)
	case events.TeamDeleted:
		return a.write(teams, a.id(p.Team), a.id(p.Organization), text(p.Name), text(""), a.time, num(1), a.seq)
	case events.RobotCreated:
		return a.write(robots, a.id(p.Robot), a.id(p.Organization), text(p.Name), text(p.Description), a.time, num(0), a.seq)
	case events.RobotDeleted:
		return a.write(robots, a.id(p.Robot), a.id(p.Organization), text(p.Name), text(""), a.time, num(1), a.seq)
	case events.GrantGiven:
		return a.grant(p.Namespace, p.Repository, p.Grantee, p.GranteeKind, p.Role)
	case events.GrantWithdrawn:
		return a.grant(p.Namespace, p.Repository, p.Grantee, p.GranteeKind, "")
	}
	return false
}

func (a *applier) uninvited(organization, user string) bool {
	return a.write(invitations, a.id(organization), a.id(user), text(""), text(""), a.time, num(0), a.seq)
}

func (a *applier) grant(namespace, repository, grantee, kind, role string) bool {
	repo := wholeNamespace
	if repository != "" {
		repo = a.id(repository)
	}
	return a.write(grants, a.id(grantee), a.id(namespace), repo, text(kind), text(role), text(a.actor), a.time, a.seq)
}

// repository handles the events of repositories.
func (a *applier) repository(p events.Payload) bool {
	switch p := p.(type) {
	case events.RepositoryCreated:
		a.visibility(p.Repository, p.Visibility)
		return a.name(p.Namespace, p.Repository, p.Name, true)
	case events.RepositoryDeleted:
		return a.name(p.Namespace, p.Repository, p.Name, false)
	case events.RepositoryRestored:
		return a.name(p.Namespace, p.Repository, p.Name, true)
	case events.RepositoryVisibilityChanged:
		return a.visibility(p.Repository, p.Visibility)
	}
	return false
}

func (a *applier) name(namespace, repository, name string, lives bool) bool {
	return a.write(names, text(name), a.id(repository), a.id(namespace), flag(!lives), a.seq)
}

func (a *applier) visibility(repository, visibility string) bool {
	if visibility != events.Public {
		visibility = events.Private // also when it is absent or unknown
	}
	return a.write(visibilities, a.id(repository), text(visibility), a.seq)
}

// machine handles the events of machines.
func (a *applier) machine(p events.Payload) bool {
	switch p := p.(type) {
	case events.MachineInvited:
		return a.write(machines, a.id(p.Machine), text(p.Name), text(p.Kind), text(MachineInvited), raw(p.Hash), text(""), num(p.Expires.UnixMicro()), text(strings.Join(p.Namespaces, ",")), text(a.actor), a.time, a.seq)
	case events.MachineEnrolled:
		return a.write(machines, a.id(p.Machine), text(p.Name), text(p.Kind), text(MachineEnrolled), raw([]byte{}), text(p.Key), num(0), text(strings.Join(p.Namespaces, ",")), text(a.actor), a.time, a.seq)
	case events.MachineRevoked:
		return a.write(machines, a.id(p.Machine), text(p.Name), text(p.Kind), text(MachineRevoked), raw([]byte{}), text(""), num(0), text(""), text(a.actor), a.time, a.seq)
	}
	return false
}
