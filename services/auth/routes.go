package auth

import (
	"net/url"

	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/process"
	"hubledger/services/internal/service"
)

// Service is what auth hands over to the program. Run and Close are not of the
// service: they belong to every node that authenticates requests.
func (s *Auth) Service() service.Service {
	return service.Service{
		Name: "auth",
		Routes: []service.Route{
			{Method: "GET", Pattern: "/token", Permission: access.Open, Cost: budget.Light, Serve: s.serveTokenGet},
			{Method: "POST", Pattern: "/token", Permission: access.Open, Cost: budget.Light, Serve: s.serveTokenPost},
			{Method: "GET", Pattern: "/.well-known/jwks.json", Permission: access.Open, Cost: budget.Light, Serve: s.serveKeys},
		},
		ReadModels: []*projections.Projection{&accounts.Projection},
		Managers:   []process.Manager{s.ErasedSecrets()},
		Sentences:  sentences,
	}
}

// serviceName is what tokens are good for: the host of the public URL.
func serviceName(publicURL string) string {
	if u, err := url.Parse(publicURL); err == nil && u.Host != "" {
		return u.Host
	}
	return "hubledger"
}
