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
		Summary: "List the organizations that you are a member of", About: "By name. Administrators of the hub see them all."}, s.listOrganizations)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: "/orgs", ID: "create-organization", Tag: "organizations", Permission: access.FullAccount, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Create an organization"}, s.createOrganization)
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
	list := s.Accounts.OrganizationsOf
	switch {
	case c.Principal.Scoped():
		return openapi.WholeList[apitypes.Organization](nil), nil
	case c.Principal.Admin:
		list = s.Accounts.Organizations
	case c.Principal.Kind != access.User:
		return openapi.WholeList[apitypes.Organization](nil), nil
	}
	found, err := list(ctx, c.Principal.ID, last, in.Limit+1)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.Organization, len(found))
	for i := range found {
		views[i] = shownOrganization(&found[i])
	}
	return openapi.Page(c, views, in.Limit, func(v apitypes.Organization) string { return openapi.CursorAt(v.Name) }), nil
}

func shownOrganization(o *accounts.Organization) apitypes.Organization {
	return apitypes.Organization{Name: o.Name, Role: o.Role, Ownerless: o.Ownerless}
}

func (s *API) getOrganization(ctx context.Context, c *endpoint.Call, _ *OrganizationPath) (*openapi.Answer[apitypes.Organization], error) {
	o, err := s.Accounts.Organization(ctx, c.Namespace.ID, c.Principal.ID)
	if err != nil {
		return nil, err
	}
	return openapi.Show(shownOrganization(o)), nil
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
