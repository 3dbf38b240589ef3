package account

import (
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
)

// MaxTokens bounds the tokens of one account that are valid at the same time.
// They are counted in the read model, which is quick but a moment behind:
// tokens that are issued at the same moment may exceed the limit.
const MaxTokens = 200

// maxLoginsToEnd bounds how many login tokens one new one ends: more than one
// is over the limit only where several were issued at once.
const maxLoginsToEnd = 5

// loginTerm is how long a login token is valid.
const loginTerm = 90 * 24 * time.Hour

// ErrTokenLimit: the account has as many tokens as it may have. It wraps ErrInvalid.
var ErrTokenLimit = fmt.Errorf("%w: the account has %d tokens already, logins among them: revoke one that is not needed first", ErrInvalid, MaxTokens)

// CheckTokenLimit is ErrTokenLimit when an account with these valid tokens may
// not have another access token.
func CheckTokenLimit(live []accounts.LiveToken) error {
	if len(live) >= MaxTokens {
		return ErrTokenLimit
	}
	return nil
}

// LoginsToEnd lists the login tokens and sessions that are revoked in exchange for a
// further one, when an account has these valid tokens, oldest first: whoever logs in with
// a password can do so again. ErrTokenLimit when there are too many access tokens.
func LoginsToEnd(live []accounts.LiveToken) (ids []string, err error) {
	over := len(live) + 1 - MaxTokens
	for _, t := range live {
		if len(ids) < over && t.Kind != events.TokenAccess {
			ids = append(ids, t.ID)
		}
	}
	if len(ids) < over {
		return nil, ErrTokenLimit
	}
	return ids[:min(len(ids), maxLoginsToEnd)], nil
}

// LoginToken is the token that a client stores in place of a user's password. It
// is good for the registry: many programs keep it in a plain file, and it must
// not give its finder the account. The issuer adds its id and hash.
func LoginToken(user, name string, now time.Time) events.TokenIssued {
	expires := now.Add(loginTerm)
	return events.TokenIssued{Namespace: user, Kind: events.TokenLogin, Owner: user, OwnerKind: events.GranteeUser,
		Name: name, Level: events.LevelDelete, Expires: &expires}
}

// sessionTerm is how long a browser stays signed in.
const sessionTerm = 30 * 24 * time.Hour

// SessionToken is what a browser keeps of a user who signed in. It allows all that the
// user may, as the password does that opened it. The issuer adds its id and hash.
func SessionToken(user, browser string, now time.Time) events.TokenIssued {
	expires := now.Add(sessionTerm)
	return events.TokenIssued{Namespace: user, Kind: events.TokenSession, Owner: user, OwnerKind: events.GranteeUser,
		Name: browser, Level: events.LevelAdmin, Expires: &expires}
}

// AccessToken is a token of a user or robot account with the name, level,
// repositories, expiry and issuers of want. The issuer adds its id and hash.
func AccessToken(owner *accounts.Account, want events.TokenIssued) events.TokenIssued {
	return events.TokenIssued{Namespace: owner.Namespace, Kind: events.TokenAccess, Owner: owner.ID, OwnerKind: owner.Kind,
		Name: want.Name, Level: want.Level, Repositories: want.Repositories, Expires: want.Expires, Issuers: want.Issuers}
}
