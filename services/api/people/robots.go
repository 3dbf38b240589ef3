package people

import (
	"context"
	"net/http"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// RobotPath names a robot account.
type RobotPath struct {
	OrganizationPath
	Robot string `path:"robot" maxLength:"40" doc:"Its own name, without the organization's"`
}

type robotTokensIn struct {
	RobotPath
	TokenListing
}

type createRobotIn struct {
	OrganizationPath
	Body apitypes.NameRequest
}

type issueRobotTokenIn struct {
	RobotPath
	Body apitypes.TokenRequest
}

type robotTokenIn struct {
	RobotPath
	Token string `path:"token" format:"uuid" doc:"Id of the token"`
}

func (s *API) registerRobots() {
	const path = "/orgs/{namespace}/robots"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "list-robots", Tag: "organizations", Permission: access.NamespaceAdmin, Cost: budget.List, Summary: "List the robot accounts of an organization"}, inOrganization(s.listRobots))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: path, ID: "create-robot", Tag: "organizations", Permission: access.NamespaceAdmin, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Make a robot account", About: "It logs in by access tokens only and may do what is granted to it."}, inOrganization(s.createRobot))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: path + "/{robot}", ID: "delete-robot", Tag: "organizations", Permission: access.NamespaceAdmin, Cost: budget.Write, Summary: "Delete a robot account with its tokens and grants"}, inOrganization(s.deleteRobot))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path + "/{robot}/tokens", ID: "list-robot-tokens", Tag: "tokens", Permission: access.NamespaceAdmin, Cost: budget.List, Summary: "List a robot account's access tokens"}, inOrganization(s.listRobotTokens))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: path + "/{robot}/tokens", ID: "issue-robot-token", Tag: "tokens", Permission: access.NamespaceAdmin, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Issue an access token for a robot account", About: "It is shown once and kept nowhere. " + issuedAbout}, inOrganization(s.issueRobotToken))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: path + "/{robot}/tokens/{token}", ID: "revoke-robot-token", Tag: "tokens", Permission: access.NamespaceAdmin, Cost: budget.Write, Summary: "Revoke a robot account's access token"}, inOrganization(s.revokeRobotToken))
}

// robot is the one that the path names.
func (s *API) robot(ctx context.Context, c *endpoint.Call, name string) (*accounts.Account, error) {
	return s.Accounts.Account(ctx, c.Namespace.Name+"+"+name)
}

func (s *API) listRobots(ctx context.Context, c *endpoint.Call, in *listInOrganizationIn) (*openapi.List[apitypes.Robot], error) {
	robots, err := s.Accounts.Robots(ctx, c.Namespace.ID)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.Robot, len(robots))
	for i, r := range robots {
		views[i] = apitypes.Robot{Name: r.Name, Description: r.Description, Created: r.Created}
	}
	return openapi.PageOf(c, views, in.Listing, func(r apitypes.Robot) string { return r.Name })
}

func (s *API) createRobot(ctx context.Context, c *endpoint.Call, in *createRobotIn) (*openapi.Change, error) {
	_, seq, err := account.CreateRobot(ctx, s.Log, c.By(), c.Namespace.ID, in.Body.Name, in.Body.Description)
	return s.Changed(ctx, seq, err)
}

func (s *API) deleteRobot(ctx context.Context, c *endpoint.Call, in *RobotPath) (*openapi.Change, error) {
	seq, err := account.DeleteRobot(ctx, s.Log, c.By(), c.Namespace.ID, in.Robot)
	return s.Changed(ctx, seq, err)
}

func (s *API) listRobotTokens(ctx context.Context, c *endpoint.Call, in *robotTokensIn) (*openapi.List[apitypes.Token], error) {
	r, err := s.robot(ctx, c, in.Robot)
	if err != nil {
		return nil, err
	}
	return s.tokensOf(ctx, c, r, in.TokenListing)
}

func (s *API) issueRobotToken(ctx context.Context, c *endpoint.Call, in *issueRobotTokenIn) (*openapi.ChangeWith[apitypes.IssuedToken], error) {
	r, err := s.robot(ctx, c, in.Robot)
	if err != nil {
		return nil, err
	}
	return s.issueTo(ctx, c, r, in.Body)
}

func (s *API) revokeRobotToken(ctx context.Context, c *endpoint.Call, in *robotTokenIn) (*openapi.Change, error) {
	r, err := s.robot(ctx, c, in.Robot)
	if err != nil {
		return nil, err
	}
	return s.revokeOf(ctx, c, r, in.Token)
}
