// Package auth finds out who a request comes from and which rights its token
// carries. It keeps passwords, issues access tokens, and speaks the token
// protocol of Docker registries (distribution, "Token Authentication
// Specification" and "OAuth2 Token Authentication"). What an account may do is
// decided by package access; this package puts it into tokens and enforces it.
package auth

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/auth/secondfactor"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
)

// Log is the log that events are appended to. LastSeq is the sequence of its last event.
type Log interface {
	command.Log
	LastSeq(ctx context.Context) (uint64, error)
}

// View tells how far the accounts projection has read the log.
type View interface {
	Wait(ctx context.Context, seq uint64) error
	Position() uint64
}

// Secrets keeps what may not stand in the log. Its errors wrap fs.ErrNotExist
// when there is no such secret, and events.ErrConflict when it was changed since
// the given revision, which is 0 for a secret that must not exist yet.
type Secrets interface {
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
	Put(ctx context.Context, key string, value []byte) error
	Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	Destroy(ctx context.Context, key string) error
	Keys(ctx context.Context, prefix string) ([]string, error)
}

var errNoSecret = fs.ErrNotExist

// Activity records when credentials are used, which is no event, and knows the
// id of this node.
type Activity interface {
	Node() string
	Touch(credential string, at time.Time)
}

// Config says what Auth works with. All fields but the strings and the logger are
// required.
type Config struct {
	Log      Log
	Read     accounts.Reader
	View     View // the projection that Read reads
	Rights   *access.Rights
	Secrets  Secrets // nil while the log's files are damaged: then nobody can log in by password
	Activity Activity

	// PublicURL is the URL by which clients reach the hub. Empty: the URL by which
	// each request came; see package origin.
	PublicURL string
	// AdminPassword is the first administrator's password. Empty: one is generated.
	AdminPassword string
	// PasswordFile is where a generated password is written for the operator, with
	// mode 0600. The file is removed when the password is changed.
	PasswordFile string

	Logger *slog.Logger // nil: slog.Default
}

// Auth is the service. Run must be running while it is used.
type Auth struct {
	Config
	service        string
	keys           *keys
	hasher         *hasher
	first          firstPassword
	verified       *verified
	passwordChecks singleflight.Group
	tokens         *tokenCache
	jwts           *jwtCache
	backoff        *backoff
	codes          *secondfactor.Tries
	closing        sync.Once
}

// New makes the service. It starts nothing.
func New(c Config) *Auth {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	s := &Auth{Config: c, service: serviceName(c.PublicURL), keys: newKeys(c.Secrets, c.Logger), hasher: newHasher(recommended),
		verified: newVerified(), tokens: newTokenCache(), jwts: newJWTCache(), backoff: newBackoff(time.Now()), codes: secondfactor.NewTries()}
	return s
}

// Run makes and ends signing keys, forgets expired tokens, and every five
// minutes writes down what was refused, until ctx ends. Call Close afterwards.
// The ErasedSecrets manager has to run beside it.
func (s *Auth) Run(ctx context.Context) {
	expired, refusals, keys := time.NewTicker(time.Minute), time.NewTicker(refusalsEvery), time.NewTicker(time.Hour)
	defer expired.Stop()
	defer refusals.Stop()
	defer keys.Stop()
	warn := func(what string, err error) {
		if ctx.Err() == nil { // else it was told to end
			s.warn(what, err)
		}
	}
	warn("look after signing keys", s.keys.tend(ctx))
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-expired.C:
			s.jwts.dropExpired(now)
		case <-refusals.C:
			warn("write down refused logins", s.recordRefusals(ctx))
		case <-keys.C:
			warn("look after signing keys", s.keys.tend(ctx))
		}
	}
}

func (s *Auth) warn(what string, err error) {
	if err != nil {
		s.Logger.Warn("could not "+what, "error", err)
	}
}

// Close records the logins that were refused since Run recorded them last. A
// read-only log takes none; they are lost then, as by a crash.
func (s *Auth) Close(ctx context.Context) (err error) {
	s.closing.Do(func() { err = s.recordRefusals(ctx) })
	if errors.Is(err, events.ErrReadOnly) {
		return nil
	}
	return err
}

// system is the actor of events that nobody asked for.
var system = command.By{Source: source, Actor: "system"}

const source = "/auth"

// The names of a user's secrets.
func passwordKey(userID string) string { return userSecrets + userID + ".password" }
func emailKey(userID string) string    { return userSecrets + userID + ".email" }

const userSecrets = "user."

// errReadOnly is returned where Secrets is nil.
var errReadOnly = events.ErrReadOnly
