package people

import (
	"context"
	"net/http"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// OrganizationPath names an organization.
type OrganizationPath struct {
	Namespace string `path:"namespace" maxLength:"40" doc:"Name of the organization"`
}

type createOrganizationIn struct {
	Body apitypes.CreateOrganizationRequest
}

func (s *API) registerOrganizations() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/orgs", ID: "list-organizations", Tag: "organizations", Permission: access.SignedIn, Cost: budget.List,
		Summary: "List the organizations that I am in", About: "By name. Administrators of the hub see them all."}, s.listOrganizations)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: "/orgs", ID: "create-organization", Tag: "organizations", Permission: access.FullAccount, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Make an organization"}, s.createOrganization)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/orgs/{namespace}", ID: "get-organization", Tag: "organizations", Permission: access.NamespaceMember, Cost: budget.Read, Summary: "Show an organization"}, inOrganization(s.getOrganization))
}

// inOrganization is an operation on the organization that the path names: its
// namespace is that of the call. The namespace of a user is not found.
func inOrganization[I, O any](run func(context.Context, *endpoint.Call, *I) (*O, error)) func(context.Context, *endpoint.Call, *I) (*O, error) {
	return func(ctx context.Context, c *endpoint.Call, in *I) (*O, error) {
		if c.Namespace.Kind != events.KindOrganization {
			return nil, endpoint.NotFound()
		}
		return run(ctx, c, in)
	}
}

func (s *API) listOrganizations(ctx context.Context, c *endpoint.Call, in *openapi.Paging) (*openapi.List[apitypes.Organization], error) {
	last, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	mine, err := account.OrganizationsOf(ctx, s.Accounts, c.Principal)
	if err != nil {
		return nil, err
	}
	var views []apitypes.Organization
	if c.Principal.Admin {
		if views, err = s.everyOrganization(ctx, mine, last, in.Limit+1); err != nil {
			return nil, err
		}
	} else {
		for _, m := range mine {
			if m.GroupName > last {
				views = append(views, apitypes.Organization{Name: m.GroupName, Role: m.Role})
			}
		}
	}
	return openapi.Page(c, views, in.Limit, func(v apitypes.Organization) string { return openapi.CursorAt(v.Name) }), nil
}

// everyOrganization lists all organizations behind last, with the caller's role,
// which is in mine.
func (s *API) everyOrganization(ctx context.Context, mine []accounts.Membership, last string, n int) ([]apitypes.Organization, error) {
	all, err := s.Accounts.Accounts(ctx, accounts.KindOrganization, last, n)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.Organization, len(all))
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

func (s *API) getOrganization(ctx context.Context, c *endpoint.Call, _ *OrganizationPath) (*openapi.Answer[apitypes.Organization], error) {
	v := apitypes.Organization{Name: c.Namespace.Name}
	members, err := s.Accounts.Members(ctx, c.Namespace.ID)
	for _, m := range members {
		if m.User == c.Principal.ID {
			v.Role = m.Role
		}
	}
	return openapi.Show(v), err
}

func (s *API) createOrganization(ctx context.Context, c *endpoint.Call, in *createOrganizationIn) (*openapi.ChangeWith[apitypes.CreatedOrganization], error) {
	owner, seq, err := s.organizations.Create(ctx, c.Principal, c.By(), in.Body.Name, in.Body.Owner)
	if err != nil {
		return nil, endpoint.Located(err, "body.owner", account.ErrNoUser, account.ErrNoOwner)
	}
	v := apitypes.Organization{Name: in.Body.Name}
	if owner == c.Principal.ID {
		v.Role = events.RoleOwner
	}
	return openapi.ShowChange(seq, apitypes.CreatedOrganization{Organization: v, Seq: seq}), nil
}
