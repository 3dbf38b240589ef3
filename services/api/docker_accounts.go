package api

import (
	"context"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
)

// dockerUser is a user or organization as Docker Hub shows them.
type dockerUser struct {
	ID       string     `json:"id,omitempty"`
	UUID     string     `json:"uuid,omitempty"`
	Username string     `json:"username,omitempty"`
	OrgName  string     `json:"orgname,omitempty"`
	FullName string     `json:"full_name"`
	Location string     `json:"location"`
	Company  string     `json:"company"`
	Joined   *time.Time `json:"date_joined"`
	Type     string     `json:"type"`
	IsAdmin  *bool      `json:"is_admin,omitempty"`
}

func (s *API) registerDockerAccounts() {
	s.docker(http.MethodPost, "/v2/users/login", Open, s.dockerLogin)
	s.docker(http.MethodPost, "/v2/auth/token", Open, s.dockerToken)
	s.docker(http.MethodGet, "/v2/user", SignedIn, s.dockerWhoami)
	s.docker(http.MethodGet, "/v2/users/{user}", Anyone, s.dockerUser)
	s.docker(http.MethodGet, "/v2/orgs/{namespace}", Anyone, s.dockerOrganization)
}

func (s *API) dockerLogin(_ http.ResponseWriter, r *http.Request, _ *call) (int, any, error) {
	var in struct{ Username, Password string }
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	session, err := s.session(r, in.Username, in.Password)
	return http.StatusOK, map[string]string{"token": session}, err
}

func (s *API) dockerToken(_ http.ResponseWriter, r *http.Request, _ *call) (int, any, error) {
	var in struct{ Identifier, Secret string }
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	session, err := s.session(r, in.Identifier, in.Secret)
	return http.StatusOK, map[string]string{"access_token": session}, err
}

func (s *API) session(r *http.Request, name, secret string) (string, error) {
	if name == "" || secret == "" || len(name) > 100 || len(secret) > 1024 {
		return "", fail(http.StatusBadRequest, "a login needs a name and a password or access token")
	}
	session, _, err := s.Passwords.Login(r.Context(), r, name, secret)
	return session, err
}

func dockerView(a *accounts.Account) dockerUser {
	v := dockerUser{ID: a.ID, UUID: a.ID, Joined: &a.Created}
	if a.Kind == events.KindOrganization {
		v.OrgName, v.Type = a.Name, "Organization"
	} else {
		v.Username, v.Type = a.Name, "User"
	}
	return v
}

func (s *API) dockerWhoami(_ http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	if c.p.Kind == access.Operator {
		return http.StatusOK, dockerUser{Username: c.p.Name, Type: "User", IsAdmin: &c.p.Admin}, nil
	}
	a, err := s.Accounts.AccountByID(r.Context(), c.p.ID)
	if err != nil {
		return 0, nil, err
	}
	v := dockerView(a)
	v.IsAdmin = &c.p.Admin
	return http.StatusOK, v, nil
}

func (s *API) dockerUser(_ http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	a, err := s.user(r.Context(), r.PathValue("user"))
	if err != nil {
		return 0, nil, err
	}
	v, err := s.dockerAccount(r.Context(), c, a)
	return http.StatusOK, v, err
}

// dockerAccount shows a user or organization. Strangers see the name of one
// that shows them a repository, and no more of it; to them all others are not
// there, nor is who was erased.
func (s *API) dockerAccount(ctx context.Context, c *call, a *accounts.Account) (dockerUser, error) {
	level, _, err := s.Rights.Namespace(ctx, c.p, a.Name)
	if err != nil {
		return dockerUser{}, err
	}
	v := dockerView(a)
	if c.isOrAdministers(a) || !a.Erased && level >= access.Read {
		return v, nil
	}
	v.ID, v.UUID, v.Joined = "", "", nil
	// A token that is limited to some repositories shows what nobody sees, too.
	for _, p := range []access.Principal{access.Nobody, c.p} {
		seen, err := s.entriesOf(ctx, p, a.Name, "", 1)
		if err != nil {
			return dockerUser{}, err
		}
		if len(seen) > 0 && !a.Erased {
			return v, nil
		}
	}
	return dockerUser{}, notFound()
}

func (s *API) dockerOrganization(_ http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	a, err := s.Accounts.Account(r.Context(), r.PathValue("namespace"))
	if err != nil {
		return 0, nil, err
	}
	if a.Kind != events.KindOrganization {
		return 0, nil, notFound()
	}
	v, err := s.dockerAccount(r.Context(), c, a)
	return http.StatusOK, v, err
}
