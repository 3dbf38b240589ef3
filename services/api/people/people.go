// Package people has the operations on accounts: users, their passwords,
// addresses and tokens, organizations with their members and teams, and robot
// accounts.
package people

import (
	"context"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/account"
	past "hubledger/services/internal/asof/people"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// Passwords knows the passwords of users. Refusals are *access.Denied.
type Passwords interface {
	account.Passwords
	// Verify checks the password of a user; wrong ones count against them.
	Verify(ctx context.Context, r *http.Request, name, password string) error
}

// SecondFactors asks people for a code beside the password. Refusals are *access.Denied.
type SecondFactors interface {
	RecoveryCodes(ctx context.Context, user *accounts.Account) (int, error)
	// CheckCode uses up a code of a user who has a second factor.
	CheckCode(ctx context.Context, r *http.Request, user *accounts.Account, code string) error
	TurnOnSecondFactor(ctx context.Context, by command.By, user *accounts.Account, key, code string) (codes []string, seq uint64, err error)
	RenewRecoveryCodes(ctx context.Context, by command.By, user *accounts.Account) (codes []string, seq uint64, err error)
	TurnOffSecondFactor(ctx context.Context, by command.By, user *accounts.Account) (seq uint64, err error)
}

// Tokens issues access tokens.
type Tokens interface {
	// IssueToken makes a token of the owner with the name, level, repositories,
	// expiry and issuers of want, and returns its secret, which nothing keeps, and its id.
	IssueToken(ctx context.Context, by command.By, owner *accounts.Account, want events.TokenIssued) (secret, token string, seq uint64, err error)
}

// Persons keeps personal data of users.
type Persons interface {
	account.Emails
	// Email is a user's address, "" for none.
	Email(ctx context.Context, user string) (string, error)
	// Erase ends the account and destroys all that is kept of the person.
	Erase(ctx context.Context, by command.By, user string) (seq uint64, err error)
}

// Used says when credentials were last used, as far as that is known.
type Used interface {
	LastUsed(ctx context.Context, ids ...string) (map[string]time.Time, error)
}

// Config is what the operations need; all fields are required but
// OnlyAdminsCreateOrganizations.
type Config struct {
	Log       command.Log
	Accounts  accounts.Reader
	Passwords Passwords
	Factors   SecondFactors
	Tokens    Tokens
	Persons   Persons
	Used      Used
	// Past makes accounts as they were.
	Past past.Past
	// OnlyAdminsCreateOrganizations keeps users from making organizations.
	OnlyAdminsCreateOrganizations bool
	// FinishUsersAfter is FinishAfter of account.Users. 0 is endpoint.AnswerTime.
	FinishUsersAfter time.Duration
}

// An API is the operations on accounts.
type API struct {
	Config
	*openapi.API
	organizations account.Organizations
}

// Register adds the operations to an API.
func Register(to *openapi.API, c Config) {
	if c.FinishUsersAfter == 0 {
		c.FinishUsersAfter = endpoint.AnswerTime
	}
	s := &API{Config: c, API: to, organizations: account.Organizations{Log: c.Log, Read: c.Accounts, Wait: to.Readable,
		OnlyAdmins: c.OnlyAdminsCreateOrganizations, Turn: make(chan struct{}, 1)}}
	s.registerUser()
	s.registerUsers()
	s.registerPersons()
	s.registerSecondFactors()
	s.registerTokens()
	s.registerOrganizations()
	s.registerMembers()
	s.registerInvitations()
	s.registerTeams()
	s.registerRobots()
}

// user finds the user of a login name.
func (s *API) user(ctx context.Context, name string) (*accounts.Account, error) {
	return account.FindUser(ctx, s.Accounts, name)
}
