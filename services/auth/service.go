package auth

import (
	"fmt"
	"net/url"

	"hubledger/events"
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

// sentences tell the events of credentials to people.
var sentences = []service.Sentence{
	service.Tell(func(n service.Names, e events.HubInitialized) string {
		return "initialized the hub with the administrator " + n.Account(e.Admin)
	}),
	service.Tell(func(n service.Names, e events.UserPasswordChanged) string {
		return "changed the password of " + n.Account(e.User)
	}),
	service.Tell(func(n service.Names, e events.UserEmailChanged) string {
		return "changed the e-mail address of " + n.Account(e.User)
	}),
	service.Tell(func(n service.Names, e events.UserErased) string { return "erased the user " + n.Account(e.User) }),
	service.Tell(func(n service.Names, e events.TokenIssued) string {
		return fmt.Sprintf("issued the %s token %q of %s, level %s", e.Kind, e.Name, n.Account(e.Owner), e.Level)
	}),
	service.Tell(func(_ service.Names, e events.TokenRevoked) string { return "revoked the token " + e.Token }),
	service.Tell(func(_ service.Names, e events.LoginsRefused) string {
		return fmt.Sprintf("refused %d logins from %d addresses", e.Attempts, e.Addresses)
	}),
}
