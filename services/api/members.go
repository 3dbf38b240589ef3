package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/account"
)

type memberView struct {
	Name string `json:"name" doc:"Login name"`
	Role string `json:"role" enum:"owner,member" doc:"An owner may do everything with what the organization has"`
}

func shownMembers(all []accounts.Membership) *list[memberView] {
	views := make([]memberView, len(all))
	for i, m := range all {
		views[i] = memberView{m.Name, m.Role}
	}
	return wholeList(views)
}

// MemberPath names a member of an organization.
type MemberPath struct {
	OrganizationPath
	Member string `path:"member" maxLength:"40" doc:"Login name of a user"`
}

type setMemberIn struct {
	MemberPath
	Body struct {
		Role string `json:"role" enum:"owner,member" doc:"An owner may do everything with what the organization has"`
	}
}

func (s *API) registerMembers() {
	const path = "/orgs/{namespace}/members"
	add(s, operation{method: http.MethodGet, path: path, id: "list-members", tag: "organizations", summary: "List the members of an organization"}, s.listMembers)
	add(s, operation{method: http.MethodPut, path: path + "/{member}", id: "set-member", tag: "organizations",
		summary: "Make a user a member or an owner", about: "Membership alone gives no right on private repositories: teams and grants do."}, s.setMember)
	add(s, operation{method: http.MethodDelete, path: path + "/{member}", id: "remove-member", tag: "organizations",
		summary: "End a membership", about: "It ends those in the organization's teams, too. The last owner stays; should two owners end each other's " +
			"membership in the same moment, an administrator of the hub names an owner again."}, s.removeMember)
}

func (s *API) listMembers(ctx context.Context, c *call, _ *OrganizationPath) (*list[memberView], error) {
	o, err := c.organization()
	if err != nil {
		return nil, err
	}
	members, err := s.Accounts.Members(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	return shownMembers(members), nil
}

func (s *API) setMember(ctx context.Context, c *call, in *setMemberIn) (*written, error) {
	o, err := c.organization()
	if err != nil {
		return nil, err
	}
	a, err := s.member(ctx, "path.member", in.Member)
	if err != nil {
		return nil, err
	}
	if in.Body.Role != events.RoleOwner {
		if err := s.keepsOwner(ctx, o.ID, a.ID); err != nil {
			return nil, err
		}
	}
	seq, err := account.GrantMembership(ctx, s.Log, by(c.p), o.ID, o.ID, a.ID, in.Body.Role)
	return s.done(ctx, seq, err)
}

func (s *API) removeMember(ctx context.Context, c *call, in *MemberPath) (*written, error) {
	o, err := c.organization()
	if err != nil {
		return nil, err
	}
	a, err := s.user(ctx, in.Member)
	if err != nil {
		return nil, err
	}
	if err := s.keepsOwner(ctx, o.ID, a.ID); err != nil {
		return nil, err
	}
	seq, err := account.RevokeMembership(ctx, s.Log, by(c.p), o.ID, o.ID, a.ID)
	return s.done(ctx, seq, err)
}

// leavesOwners refuses to end an account that is some organization's last owner.
func (s *API) leavesOwners(ctx context.Context, user string) error {
	in, err := s.Accounts.Memberships(ctx, user)
	if err != nil {
		return err
	}
	var alone []string
	for _, m := range in {
		if m.Group != m.Organization || m.Role != events.RoleOwner {
			continue
		}
		var refused *problem
		if err := s.keepsOwner(ctx, m.Organization, user); errors.As(err, &refused) {
			alone = append(alone, m.GroupName)
		} else if err != nil {
			return err
		}
	}
	if len(alone) > 0 {
		return fail(http.StatusConflict, "the last owner of "+strings.Join(alone, ", ")+" cannot be erased: name another owner first")
	}
	return nil
}

// keepsOwner refuses to take the last owner away. Two owners who remove each
// other at the same moment can still leave none: an administrator of the hub
// names one again.
func (s *API) keepsOwner(ctx context.Context, organization, leaving string) error {
	members, err := s.Accounts.Members(ctx, organization)
	if err != nil {
		return err
	}
	owners, owns := 0, false
	for _, m := range members {
		if m.Role == events.RoleOwner {
			owners++
			owns = owns || m.User == leaving
		}
	}
	if owns && owners == 1 {
		return fail(http.StatusConflict, "the organization needs another owner first")
	}
	return nil
}
