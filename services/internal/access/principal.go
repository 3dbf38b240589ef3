// Package access decides who may do what with which repository or namespace.
// It knows nothing of HTTP or of credentials: a request is a Principal by the
// time it comes here.
package access

import (
	"errors"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/services/internal/command"
)

// Kind is the sort of account that makes a request.
type Kind string

const (
	Anonymous Kind = "anonymous" // the request has no credentials
	User      Kind = "user"
	Robot     Kind = "robot"    // a robot account of an organization
	Host      Kind = "host"     // a machine that runs applications; pulls by a registry token, and nothing else
	Operator  Kind = "operator" // whoever may open the data directory's admin socket; may do everything
)

// A Principal is who makes a request.
type Principal struct {
	Kind       Kind
	ID         string // of the user, robot account or host; "" otherwise
	Name       string // login name, such as alice or acme+ci; "anonymous" and "operator" for these
	Admin      bool   // administrator of the hub
	Credential string // Password, or the id of the token it came by; "" for Anonymous, Host and Operator
	// PasswordSeq is accounts.Account.ProofSeq as it was read before the
	// password was proved; 0 when Credential is a token. Live refuses another.
	PasswordSeq uint64
	Limit       *Limit // what the credential is good for; nil for all that the account may
}

// Password is the Credential of a principal who proved a password.
const Password = "password"

// A Limit is the scope of a token.
type Limit struct {
	Level        Level
	Repositories []string // full names; nil for all
}

var (
	Nobody   = Principal{Kind: Anonymous, Name: "anonymous"}
	Operates = Principal{Kind: Operator, Name: "operator", Admin: true}
)

// Scoped says whether the credential is limited to some repositories: then it
// shows nothing but these.
func (p Principal) Scoped() bool { return p.Limit != nil && p.Limit.Repositories != nil }

// Administers says whether the principal is an administrator of the hub by a
// credential that is not limited to some repositories.
func (p Principal) Administers() bool { return p.Admin && !p.Scoped() }

// By signs the principal's commands in the log.
func (p Principal) By(source string) command.By { return command.By{Source: source, Actor: p.Name} }

// Level is how much a principal may do with a repository. Each level includes
// the ones before it.
type Level uint8

const (
	None   Level = iota // the repository has to look as if it did not exist
	Read                // pull, see
	Write               // push
	Delete              // delete tags and manifests
	Admin               // settings, grants, deletion of the repository
)

// Name is how the API and tokens write a level; "" for None.
func (l Level) Name() string {
	switch l {
	case Read:
		return events.LevelRead
	case Write:
		return events.LevelWrite
	case Delete:
		return events.LevelDelete
	case Admin:
		return events.LevelAdmin
	}
	return ""
}

// A Need is one thing that a request wants to do. The zero Need is met by every
// principal.
type Need struct {
	Repository string // name as the client wrote it
	Level      Level
	Catalog    bool // list the names of repositories
}

// A Denied is a refusal, with the text for the client that was refused.
type Denied struct {
	Status     int           // 401, 403, 404, 429 or 503
	Code       string        // of the distribution-spec: UNAUTHORIZED, DENIED, TOOMANYREQUESTS, UNAVAILABLE
	Message    string        // for people
	Challenge  string        // WWW-Authenticate, "" for none
	RetryAfter time.Duration // 0 for none
	CodeNeeded bool          // the password was right: the code of a second factor was not there, or wrong
	Cause      error         // for the server's log only
}

func (d *Denied) Error() string {
	if d.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", d.Code, d.Message, d.Cause)
	}
	return d.Code + ": " + d.Message
}

func (d *Denied) Unwrap() error { return d.Cause }

var (
	// ErrStale: this node's accounts are more than a second behind the log, so
	// that a right that was taken away could still look given.
	ErrStale = errors.New("the accounts are behind the log")
	// ErrParked: an event of an account, team or repository that the decision
	// rests on could not be applied.
	ErrParked = errors.New("an event that the decision rests on is parked")
)
