package auth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-jose/go-jose/v4"

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

// serveKeys publishes the public keys that verify our tokens (RFC 7517), for other
// programs: the hub itself reads them from the secrets.
func (s *Auth) serveKeys(w http.ResponseWriter, r *http.Request) {
	keys, err := s.keys.published(r.Context())
	if err != nil {
		s.fail(w, r, s.refusal(r, err, ""), "")
		return
	}
	var set jose.JSONWebKeySet
	for _, k := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.public(), KeyID: k.id(), Algorithm: string(jose.EdDSA), Use: "sig"})
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	if err := json.NewEncoder(w).Encode(set); err != nil {
		s.Logger.Debug("the client went away", "error", err)
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
	service.Tell(func(n service.Names, e events.HubInitialized) service.Text {
		return service.Say("set the hub up with the administrator ", service.Account(n, e.Admin))
	}),
	service.Tell(func(n service.Names, e events.UserPasswordChanged) service.Text {
		return service.Say("changed the password of ", service.Account(n, e.User))
	}),
	service.Tell(func(n service.Names, e events.UserSecondFactorChanged) service.Text {
		if e.Factor == "" {
			return service.Say("turned the second factor of ", service.Account(n, e.User), " off")
		}
		if e.Renewed {
			return service.Say("made new recovery codes for the second factor of ", service.Account(n, e.User))
		}
		return service.Say("turned the second factor of ", service.Account(n, e.User), " on")
	}),
	service.Tell(func(n service.Names, e events.UserEmailChanged) service.Text {
		if !e.Set {
			return service.Say("removed the e-mail address of ", service.Account(n, e.User))
		}
		return service.Say("changed the e-mail address of ", service.Account(n, e.User))
	}),
	service.Tell(func(n service.Names, e events.UserErased) service.Text {
		return service.Say("erased the user ", service.Account(n, e.User))
	}),
	service.Tell(func(n service.Names, e events.TokenIssued) service.Text {
		what := "issued the access token "
		switch e.Kind {
		case events.TokenSession:
			return service.Say("signed in with a browser") // who did is the owner
		case events.TokenLogin:
			what = "issued the login token "
		}
		text := service.Say(what, strconv.Quote(e.Name), " of ", service.Account(n, e.Owner), ", good for "+e.Level)
		if e.Repositories != nil {
			return service.Say(text, fmt.Sprintf(" on %s", strings.Join(e.Repositories, ", ")))
		}
		return text
	}),
	service.Tell(func(n service.Names, e events.TokenRevoked) service.Text {
		name, owner := n.Token(e.Token)
		if owner == "" {
			return service.Say("revoked a token of ", service.Account(n, e.Namespace))
		}
		return service.Say("revoked the token ", strconv.Quote(name), " of ", service.Account(n, owner))
	}),
	service.Tell(func(_ service.Names, e events.LoginsRefused) string {
		switch {
		case e.Attempts == 1:
			return "refused a login"
		case e.Addresses == 1:
			return fmt.Sprintf("refused %d logins from one address", e.Attempts)
		}
		return fmt.Sprintf("refused %d logins from %d addresses", e.Attempts, e.Addresses)
	}),
}
