package auth

import (
	"fmt"

	"hubledger/events"
	"hubledger/services/internal/service"
)

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
