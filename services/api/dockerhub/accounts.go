package dockerhub

import (
	"context"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
)

// accountView is a user or organization as Docker Hub shows them.
type accountView struct {
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

func (s *Endpoints) registerAccounts() {
	s.add(http.MethodPost, "/v2/users/login", access.Open, budget.Light, s.login)
	s.add(http.MethodPost, "/v2/auth/token", access.Open, budget.Light, s.token)
	s.add(http.MethodGet, "/v2/user", access.SignedIn, budget.Read, s.whoami)
	s.add(http.MethodGet, "/v2/users/{user}", access.Anyone, budget.Read, s.getUser)
	s.add(http.MethodGet, "/v2/orgs/{namespace}", access.Anyone, budget.Read, s.getOrganization)
}

func (s *Endpoints) login(_ http.ResponseWriter, r *http.Request, _ *endpoint.Call) (int, any, error) {
	var in struct{ Username, Password string }
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	session, err := s.session(r, in.Username, in.Password)
	return http.StatusOK, map[string]string{"token": session}, err
}

func (s *Endpoints) token(_ http.ResponseWriter, r *http.Request, _ *endpoint.Call) (int, any, error) {
	var in struct{ Identifier, Secret string }
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	session, err := s.session(r, in.Identifier, in.Secret)
	return http.StatusOK, map[string]string{"access_token": session}, err
}

func (s *Endpoints) session(r *http.Request, name, secret string) (string, error) {
	if name == "" || secret == "" || len(name) > 100 || len(secret) > 1024 {
		return "", endpoint.Fail(http.StatusBadRequest, "a login needs a name and a password or access token")
	}
	session, _, err := s.Logins.Login(r.Context(), r, name, secret)
	return session, err
}

func shownAccount(a *accounts.Account) accountView {
	v := accountView{ID: a.ID, UUID: a.ID, Joined: &a.Created}
	if a.Kind == events.KindOrganization {
		v.OrgName, v.Type = a.Name, "Organization"
	} else {
		v.Username, v.Type = a.Name, "User"
	}
	return v
}

func (s *Endpoints) whoami(_ http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	if c.Principal.Kind == access.Operator {
		return http.StatusOK, accountView{Username: c.Principal.Name, Type: "User", IsAdmin: &c.Principal.Admin}, nil
	}
	a, err := s.Accounts.AccountByID(r.Context(), c.Principal.ID)
	if err != nil {
		return 0, nil, err
	}
	v := shownAccount(a)
	v.IsAdmin = &c.Principal.Admin
	return http.StatusOK, v, nil
}

func (s *Endpoints) getUser(_ http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	a, err := account.FindUser(r.Context(), s.Accounts, r.PathValue("user"))
	if err != nil {
		return 0, nil, err
	}
	v, err := s.show(r.Context(), c, a)
	return http.StatusOK, v, err
}

// show shows a user or organization. Strangers see only the name, and only if
// they may see one of its repositories; all others, and erased users, are not
// found.
func (s *Endpoints) show(ctx context.Context, c *endpoint.Call, a *accounts.Account) (accountView, error) {
	level, _, err := s.Rights.Namespace(ctx, c.Principal, a.Name)
	if err != nil {
		return accountView{}, err
	}
	v := shownAccount(a)
	if c.MaySeeAll(a) || !a.Erased && level >= access.Read {
		return v, nil
	}
	v.ID, v.UUID, v.Joined = "", "", nil
	// A token that is limited to some repositories hides none that anonymous
	// clients see.
	for _, p := range []access.Principal{access.Nobody, c.Principal} {
		seen, err := s.Browse.OfNamespace(ctx, p, a.Name, "", 1)
		if err != nil {
			return accountView{}, err
		}
		if len(seen) > 0 && !a.Erased {
			return v, nil
		}
	}
	return accountView{}, endpoint.NotFound()
}

func (s *Endpoints) getOrganization(_ http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	a, err := s.Accounts.Account(r.Context(), r.PathValue("namespace"))
	if err != nil {
		return 0, nil, err
	}
	if a.Kind != events.KindOrganization {
		return 0, nil, endpoint.NotFound()
	}
	v, err := s.show(r.Context(), c, a)
	return http.StatusOK, v, err
}
