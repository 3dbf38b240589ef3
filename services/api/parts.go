package api

import (
	"context"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/activity"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/command"

	"github.com/opencontainers/go-digest"
)

// Auth says who asks.
type Auth interface {
	// Authenticate reads the Authorization of a request; without one it is
	// access.Nobody. Its errors are *access.Denied.
	Authenticate(r *http.Request) (access.Principal, error)
}

// As lets everybody in as one principal: the admin socket's access.Operates.
func As(p access.Principal) Auth { return always{p} }

type always struct{ p access.Principal }

func (a always) Authenticate(*http.Request) (access.Principal, error) { return a.p, nil }

// Passwords knows the passwords of users. Refusals are *access.Denied.
type Passwords interface {
	// Login checks a login name with its password or access token and starts a
	// session: a bearer token for the hub's API, and when it ends.
	Login(ctx context.Context, r *http.Request, name, secret string) (session string, expires time.Time, err error)
	// Verify checks the password of a user; wrong ones count against them.
	Verify(ctx context.Context, r *http.Request, name, password string) error
	SetPassword(ctx context.Context, by command.By, user, password string) (seq uint64, err error)
	// CheckPassword says in its error, which is for people, why a password is
	// not good enough for a user of that login name.
	CheckPassword(name, password string) error
}

// Tokens issues access tokens.
type Tokens interface {
	// IssueToken makes a token of the owner with the name, level, repositories
	// and expiry of want, and returns its secret, which nothing keeps, and its id.
	IssueToken(ctx context.Context, by command.By, owner *accounts.Account, want events.TokenIssued) (secret, token string, seq uint64, err error)
}

// Persons keeps what is known of the person behind a user.
type Persons interface {
	// Email is a user's address, "" for none.
	Email(ctx context.Context, user string) (string, error)
	// SetEmail keeps an address, or destroys it when it is "".
	SetEmail(ctx context.Context, by command.By, user, address string) (seq uint64, err error)
	// Erase ends the account and destroys all that is kept of the person.
	Erase(ctx context.Context, by command.By, user string) (seq uint64, err error)
}

// Rights decides who may do what; see package access.
type Rights interface {
	Repository(ctx context.Context, p access.Principal, name string) (access.Decision, error)
	Namespace(ctx context.Context, p access.Principal, name string) (access.Level, *accounts.Namespace, error)
	Visible(ctx context.Context, p access.Principal) (access.Visible, error)
}

// Log is the log as the hub needs it.
type Log interface {
	command.Log
	LastSeq(ctx context.Context) (uint64, error)
}

// Cleaner applies cleanup rules; see package cleanup.
type Cleaner interface {
	Preview(ctx context.Context, repo images.Repository, rule events.Cleanup, everywhere bool) (cleanup.Preview, error)
	Run(ctx context.Context, repo images.Repository) (cleanup.Done, error)
}

// Settler waits for the read models.
type Settler interface {
	// Settle returns when every read model that a client may look at next has
	// committed the event of that sequence; an error when ctx ends or it is parked.
	Settle(ctx context.Context, seq uint64) error
}

// Registry is what only the registry can do with images: it knows their blobs.
// All wait for the registry's own read model.
type Registry interface {
	DeleteRepository(ctx context.Context, by command.By, name string) (uint64, error)
	// RestoreRepository undoes the deletion of the repository with that id, or
	// of the latest of that name when id is empty.
	RestoreRepository(ctx context.Context, by command.By, name, id string) (uint64, error)
	RestoreManifest(ctx context.Context, by command.By, name string, d digest.Digest) (uint64, error)
	RestoreTag(ctx context.Context, by command.By, name, tag string) (uint64, error)
}

// Answers remembers what was answered under an Idempotency-Key; see package
// activity.
type Answers interface {
	Begin(ctx context.Context, principal, key string, request []byte, now time.Time) (*activity.Answer, *activity.Claim, error)
}

// Used says when credentials were last used, as far as that is known.
type Used interface {
	LastUsed(ctx context.Context, ids ...string) (map[string]time.Time, error)
}

// Recent knows the pulls of the current hour: the log is told of them once
// it has ended.
type Recent interface {
	// RecentPulls counts by tag what was pulled from a repository and is not in
	// the log yet; those by digest are under "".
	RecentPulls(ctx context.Context, repository string) (map[string]catalog.TagPulls, error)
}
