package api

import (
	"context"
	"net/http"
	"time"

	"hubledger/projections/accounts"
	"hubledger/services/internal/account"
)

type robotView struct {
	Name        string    `json:"name" doc:"Login name: the organization's, a +, and its own"`
	Description string    `json:"description" doc:"What it is for"`
	Created     time.Time `json:"created" doc:"When it was made"`
}

// RobotPath names a robot account.
type RobotPath struct {
	OrganizationPath
	Robot string `path:"robot" maxLength:"40" doc:"Its own name, without the organization's"`
}

type createRobotIn struct {
	OrganizationPath
	Body namedThing
}

type issueRobotTokenIn struct {
	RobotPath
	Body tokenSpec
}

type robotTokenIn struct {
	RobotPath
	Token string `path:"token" format:"uuid" doc:"Id of the token"`
}

func (s *API) registerRobots() {
	const path = "/orgs/{namespace}/robots"
	add(s, operation{method: http.MethodGet, path: path, id: "list-robots", tag: "organizations", summary: "List the robot accounts of an organization"}, s.listRobots)
	add(s, operation{method: http.MethodPost, path: path, id: "create-robot", tag: "organizations", status: http.StatusCreated,
		summary: "Make a robot account", about: "It logs in by access tokens only and may do what is granted to it."}, s.createRobot)
	add(s, operation{method: http.MethodDelete, path: path + "/{robot}", id: "delete-robot", tag: "organizations", summary: "Delete a robot account with its tokens and grants"}, s.deleteRobot)
	add(s, operation{method: http.MethodGet, path: path + "/{robot}/tokens", id: "list-robot-tokens", tag: "tokens", summary: "List a robot account's access tokens"}, s.listRobotTokens)
	add(s, operation{method: http.MethodPost, path: path + "/{robot}/tokens", id: "issue-robot-token", tag: "tokens", status: http.StatusCreated,
		summary: "Issue an access token for a robot account", about: "It is shown once and kept nowhere."}, s.issueRobotToken)
	add(s, operation{method: http.MethodDelete, path: path + "/{robot}/tokens/{token}", id: "revoke-robot-token", tag: "tokens", summary: "Revoke a robot account's access token"}, s.revokeRobotToken)
}

// robot is the one that the path names.
func (s *API) robot(ctx context.Context, c *call, name string) (*accounts.Account, error) {
	o, err := c.organization()
	if err != nil {
		return nil, err
	}
	return s.Accounts.Account(ctx, o.Name+"+"+name)
}

func (s *API) listRobots(ctx context.Context, c *call, _ *OrganizationPath) (*list[robotView], error) {
	o, err := c.organization()
	if err != nil {
		return nil, err
	}
	robots, err := s.Accounts.Robots(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	views := make([]robotView, len(robots))
	for i, r := range robots {
		views[i] = robotView{r.Name, r.Description, r.Created}
	}
	return wholeList(views), nil
}

func (s *API) createRobot(ctx context.Context, c *call, in *createRobotIn) (*written, error) {
	o, err := c.organization()
	if err != nil {
		return nil, err
	}
	_, seq, err := account.CreateRobot(ctx, s.Log, by(c.p), o.ID, in.Body.Name, in.Body.Description)
	return s.done(ctx, seq, err)
}

func (s *API) deleteRobot(ctx context.Context, c *call, in *RobotPath) (*written, error) {
	o, err := c.organization()
	if err != nil {
		return nil, err
	}
	seq, err := account.DeleteRobot(ctx, s.Log, by(c.p), o.ID, in.Robot)
	return s.done(ctx, seq, err)
}

func (s *API) listRobotTokens(ctx context.Context, c *call, in *RobotPath) (*list[TokenView], error) {
	r, err := s.robot(ctx, c, in.Robot)
	if err != nil {
		return nil, err
	}
	return s.tokensOf(ctx, r)
}

func (s *API) issueRobotToken(ctx context.Context, c *call, in *issueRobotTokenIn) (*wrote[issuedToken], error) {
	r, err := s.robot(ctx, c, in.Robot)
	if err != nil {
		return nil, err
	}
	return s.issueTo(ctx, c, r, in.Body)
}

func (s *API) revokeRobotToken(ctx context.Context, c *call, in *robotTokenIn) (*written, error) {
	r, err := s.robot(ctx, c, in.Robot)
	if err != nil {
		return nil, err
	}
	return s.revokeOf(ctx, c, r, in.Token)
}
