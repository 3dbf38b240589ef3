package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
)

// An OrganizationView is an organization and what one is in it.
type OrganizationView struct {
	Name string `json:"name" doc:"Of the organization, and of its namespace"`
	Role string `json:"role,omitempty" enum:"owner,member" doc:"Mine in it; absent for an administrator of the hub who has none"`
}

// OrganizationPath names an organization.
type OrganizationPath struct {
	Namespace string `path:"namespace" maxLength:"40" doc:"Name of the organization"`
}

type createOrganizationIn struct {
	Body struct {
		Name  string `json:"name" example:"acme" minLength:"2" maxLength:"40" doc:"Lower-case letters, digits, and single . _ - between them"`
		Owner string `json:"owner,omitempty" maxLength:"40" doc:"Login name of its first owner: absent for myself, others are for administrators of the hub to name"`
	}
}

type createdOrganization struct {
	OrganizationView
	Seq uint64 `json:"seq" doc:"Sequence of the change in the log"`
}

func (s *API) registerOrganizations() {
	add(s, operation{method: http.MethodGet, path: "/orgs", id: "list-organizations", tag: "organizations",
		summary: "List the organizations that I am in", about: "By name. Administrators of the hub see them all."}, s.listOrganizations)
	add(s, operation{method: http.MethodPost, path: "/orgs", id: "create-organization", tag: "organizations", status: http.StatusCreated,
		summary: "Make an organization"}, s.createOrganization)
	add(s, operation{method: http.MethodGet, path: "/orgs/{namespace}", id: "get-organization", tag: "organizations", summary: "Show an organization"}, s.getOrganization)
}

// organization is the one that the path names; a user's namespace is none.
func (c *call) organization() (*accounts.Namespace, error) {
	if c.namespace.Kind != events.KindOrganization {
		return nil, notFound()
	}
	return c.namespace, nil
}

func (s *API) listOrganizations(ctx context.Context, c *call, in *Paging) (*list[OrganizationView], error) {
	last, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	mine, err := s.organizationsOf(ctx, c.p)
	if err != nil {
		return nil, err
	}
	var views []OrganizationView
	if c.p.Admin {
		if views, err = s.everyOrganization(ctx, mine, last, in.Limit+1); err != nil {
			return nil, err
		}
	} else {
		for _, m := range mine {
			if m.GroupName > last {
				views = append(views, OrganizationView{m.GroupName, m.Role})
			}
		}
	}
	return pageOf(c, views, in.Limit, func(v OrganizationView) string { return cursorAt(v.Name) }), nil
}

// organizationsOf lists the organizations that a principal is in, by name.
func (s *API) organizationsOf(ctx context.Context, p access.Principal) ([]accounts.Membership, error) {
	if p.Kind != access.User {
		return nil, nil
	}
	in, err := s.Accounts.Memberships(ctx, p.ID)
	return slices.DeleteFunc(in, func(m accounts.Membership) bool { return m.Group != m.Organization }), err
}

// everyOrganization lists what there is behind last, with the role of who is in mine.
func (s *API) everyOrganization(ctx context.Context, mine []accounts.Membership, last string, n int) ([]OrganizationView, error) {
	all, err := s.Accounts.Accounts(ctx, accounts.KindOrganization, last, n)
	if err != nil {
		return nil, err
	}
	views := make([]OrganizationView, len(all))
	for i, o := range all {
		views[i].Name = o.Name
		for _, m := range mine {
			if m.Organization == o.ID {
				views[i].Role = m.Role
			}
		}
	}
	return views, nil
}

func (s *API) getOrganization(ctx context.Context, c *call, in *OrganizationPath) (*wholly[OrganizationView], error) {
	o, err := c.organization()
	if err != nil {
		return nil, err
	}
	v := OrganizationView{Name: o.Name}
	members, err := s.Accounts.Members(ctx, o.ID)
	for _, m := range members {
		if m.User == c.p.ID {
			v.Role = m.Role
		}
	}
	return &wholly[OrganizationView]{v}, err
}

func (s *API) createOrganization(ctx context.Context, c *call, in *createOrganizationIn) (*wrote[createdOrganization], error) {
	owner, err := s.firstOwner(ctx, c, in.Body.Owner)
	if err != nil {
		return nil, err
	}
	if err := s.mayTake(ctx, c, in.Body.Name); err != nil {
		return nil, err
	}
	seq, err := s.organize(ctx, c, in.Body.Name, owner.ID)
	if err != nil {
		return nil, err
	}
	v := OrganizationView{Name: in.Body.Name}
	if owner.ID == c.p.ID {
		v.Role = events.RoleOwner
	}
	return &wrote[createdOrganization]{seq, createdOrganization{v, seq}}, nil
}

// maxOrganizations bounds how many organizations users own who make one.
const maxOrganizations = 50

// organize makes an organization and waits for it. Users are counted theirs,
// one at a time so that nobody makes many at once.
func (s *API) organize(ctx context.Context, c *call, name, owner string) (uint64, error) {
	if !c.p.Admin {
		select {
		case s.organizing <- struct{}{}:
			defer func() { <-s.organizing }()
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		mine, err := s.organizationsOf(ctx, c.p)
		if err != nil {
			return 0, err
		}
		mine = slices.DeleteFunc(mine, func(m accounts.Membership) bool { return m.Role != events.RoleOwner })
		if len(mine) >= maxOrganizations {
			return 0, fail(http.StatusForbidden, fmt.Sprintf("you own %d organizations: administrators of the hub can make more", len(mine)))
		}
	}
	_, seq, err := account.CreateOrganization(ctx, s.Log, by(c.p), name, owner)
	if err == nil {
		err = s.settle(ctx, seq)
	}
	return seq, err
}

// firstOwner is who shall own a new organization, if the caller may say so.
func (s *API) firstOwner(ctx context.Context, c *call, name string) (*accounts.Account, error) {
	switch {
	case c.p.Kind == access.Robot:
		return nil, fail(http.StatusForbidden, "a robot account owns no organization")
	case !c.p.Admin && s.OnlyAdminsCreateOrganizations:
		return nil, fail(http.StatusForbidden, "on this hub administrators make the organizations")
	case !c.p.Admin && name != "" && name != c.p.Name:
		return nil, fail(http.StatusForbidden, "only administrators of the hub make organizations for others")
	case name == "" && c.p.Kind == access.Operator:
		return nil, invalid("body.owner", "say who shall own it")
	case name == "":
		name = c.p.Name
	}
	return s.member(ctx, "body.owner", name)
}

// mayTake keeps a namespace that was pushed to before there were accounts from
// whoever first asks for its name: it has repositories.
func (s *API) mayTake(ctx context.Context, c *call, name string) error {
	ns, err := s.Accounts.Namespace(ctx, name)
	switch {
	case errors.Is(err, accounts.ErrNotFound):
		return nil
	case err != nil:
		return err
	case ns.Kind == "" && c.p.Admin:
		return nil
	}
	return fmt.Errorf("%s: %w", name, account.ErrTaken)
}

// member finds a user who can be given something.
func (s *API) member(ctx context.Context, where, name string) (*accounts.Account, error) {
	a, err := s.user(ctx, name)
	if ignoreMissing(err) != nil {
		var p *problem
		if !errors.As(err, &p) {
			return nil, err
		}
	}
	if err != nil || a.Erased {
		return nil, invalid(where, "there is no user of that name")
	}
	return a, nil
}
