// Package auth says who a request comes from, and what it was told to be
// allowed. It keeps passwords, issues access tokens, and speaks the token
// protocol of Docker registries (distribution, "Token Authentication
// Specification" and "OAuth2 Token Authentication"). What an account may do is
// decided by package access; here it is only made known and checked.
package auth

import (
	"context"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
)

// Log is where decisions go, and says how long it is.
type Log interface {
	command.Log
	LastSeq(ctx context.Context) (uint64, error)
}

// View is the accounts projection as it runs.
type View interface {
	Wait(ctx context.Context, seq uint64) error
	Position() uint64
}

// Secrets is where what may not stand in the log is kept. Its errors wrap
// fs.ErrNotExist where there is no such secret, and events.ErrConflict where
// it was changed since the revision that was named; 0 names none at all.
type Secrets interface {
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
	Put(ctx context.Context, key string, value []byte) error
	Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	Destroy(ctx context.Context, key string) error
	Keys(ctx context.Context, prefix string) ([]string, error)
}

var errNoSecret = fs.ErrNotExist

// Activity notes what is not an event.
type Activity interface {
	Node() string
	Touch(credential string, at time.Time)
}

// Config says what Auth works with. All but the texts and the logger are required.
type Config struct {
	Log      Log
	Read     accounts.Reader
	View     View // the projection that Read reads
	Rights   *access.Rights
	Secrets  Secrets // the nil interface while the log is in quarantine: then nobody can log in
	Activity Activity

	// PublicURL is that under which everybody reaches the hub, without a slash
	// at its end. Empty: what each request says; see package origin.
	PublicURL string
	// AdminPassword is the first administrator's password. Empty: one is made.
	AdminPassword string
	// PasswordFile is where a password that was made is written for the
	// operator, for its owner's eyes only. It is removed when the password is changed.
	PasswordFile string

	Logger *slog.Logger // nil: slog.Default
}

// Auth is the service. Run has to run while it is used.
type Auth struct {
	Config
	service   string
	keys      *keys
	hasher    *hasher
	verified  *verified
	proving   singleflight.Group
	tokens    *tokenCache
	jwts      *jwtCache
	guard     *guard
	endRefuse sync.Once
}

// New makes the service. It does nothing until it is asked.
func New(c Config) *Auth {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	s := &Auth{Config: c, service: serviceName(c.PublicURL), keys: newKeys(c.Secrets, c.Logger), hasher: newHasher(recommended),
		verified: newVerified(), tokens: newTokenCache(), jwts: newJWTCache(), guard: newGuard(time.Now())}
	return s
}

// Run destroys the secrets of erased users that are left, makes and ends
// signing keys, forgets expired tokens, and every five minutes writes down what was refused, until ctx
// ends. Call Close afterwards.
func (s *Auth) Run(ctx context.Context) {
	s.warn("destroy secrets of erased users", s.destroyErased(ctx))
	expired, refusals, chores := time.NewTicker(time.Minute), time.NewTicker(refusalsEvery), time.NewTicker(time.Hour)
	defer expired.Stop()
	defer refusals.Stop()
	defer chores.Stop()
	s.warn("look after signing keys", s.keys.tend(ctx))
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-expired.C:
			s.jwts.dropExpired(now)
		case <-refusals.C:
			s.warn("write down refused logins", s.recordRefusals(ctx))
		case <-chores.C:
			s.warn("destroy secrets of erased users", s.destroyErased(ctx))
			s.warn("look after signing keys", s.keys.tend(ctx))
		}
	}
}

func (s *Auth) warn(what string, err error) {
	if err != nil {
		s.Logger.Warn("could not "+what, "error", err)
	}
}

// Close writes down what was refused since the last time.
func (s *Auth) Close(ctx context.Context) (err error) {
	s.endRefuse.Do(func() { err = s.recordRefusals(ctx) })
	return err
}

// system signs what nobody asked for.
var system = command.By{Source: source, Actor: "system"}

const source = "/auth"

// Keys of the secrets of a user.
func passwordKey(userID string) string { return userSecrets + userID + ".password" }
func emailKey(userID string) string    { return userSecrets + userID + ".email" }

const userSecrets = "user."

// errReadOnly stands for secrets that are not there in quarantine.
var errReadOnly = events.ErrReadOnly
