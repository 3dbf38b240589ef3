package events

import "time"

// Levels of what a token may do at most; each includes those before it. What
// its owner may not do, the token may not either.
const (
	LevelRead   = "read"
	LevelWrite  = "write"  // push, but delete nothing
	LevelDelete = "delete" // also delete tags and manifests
	LevelAdmin  = "admin"  // all that its owner may
)

// Kinds of tokens.
const (
	TokenAccess = "access" // a personal or robot access token
	TokenLogin  = "login"  // what docker login with a password stores in its place; ends with that password, and allows at most LevelDelete
	// TokenSession is what a browser keeps of somebody who signed in by a password; it ends
	// with that password. A version that does not know it lets it live until it expires.
	TokenSession = "session"
)

// TokenIssued records an access token. The token itself is 256 random bits, so
// its SHA-256 reveals nothing about it.
type TokenIssued struct {
	Namespace    string     `json:"namespace" jsonschema:"id of the user, or of the robot account's organization"`
	Token        string     `json:"token" jsonschema:"id of the token, UUIDv7"`
	Kind         string     `json:"kind" jsonschema:"access, login or session"`
	Owner        string     `json:"owner" jsonschema:"id of the user or robot account it stands for"`
	OwnerKind    string     `json:"ownerKind" jsonschema:"user or robot"`
	Name         string     `json:"name" jsonschema:"what its owner calls it"`
	Hash         []byte     `json:"hash" jsonschema:"SHA-256 of the token"`
	Level        string     `json:"level" jsonschema:"read, write, delete or admin"`
	Repositories []string   `json:"repositories,omitempty" jsonschema:"full names it is good for; absent for all"`
	Expires      *time.Time `json:"expires,omitempty" jsonschema:"absent for never"`
	Issuers      []string   `json:"issuers,omitempty" jsonschema:"ids of the tokens that it ends with: the one that issued it, then the one that issued that, and so on; absent when a password or the operator issued it"`
}

func (TokenIssued) EventType() string { return "token.issued.v1" }
func (e TokenIssued) Subject() string { return TokenSubject(e.Namespace, e.Token) }

// TokenRevoked ends a token at once.
type TokenRevoked struct {
	Namespace string `json:"namespace" jsonschema:"id of the user, or of the robot account's organization"`
	Token     string `json:"token" jsonschema:"id of the token"`
}

func (TokenRevoked) EventType() string { return "token.revoked.v1" }
func (e TokenRevoked) Subject() string { return TokenSubject(e.Namespace, e.Token) }
