package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hubledger/projections"
)

// A Token is an access token as it was issued, and whether it was revoked. The
// caller has to check that its owner still exists and, for a login, that the
// password has not changed since.
type Token struct {
	ID, Namespace    string
	Kind             string // events.TokenAccess or events.TokenLogin
	Owner, OwnerKind string // id; user or robot
	Name             string
	Level            string   // read, write, delete or admin
	Hash             []byte   // SHA-256 of the token
	Repositories     []string // full names; nil for all
	Issued           time.Time
	Expires          *time.Time // nil for never
	Revoked          bool
	Seq              uint64 // of token.issued
}

// maxTokens bounds the list of one owner's tokens.
const maxTokens = 1000

const tokenColumns = `SELECT k.token, k.namespace, k.kind, k.account, k.owner_kind, k.name, k.hash, k.level, k.repositories,
	k.time, k.expires, k.seq, CASE WHEN v.token IS NULL THEN 0 ELSE 1 END
	FROM tokens k LEFT JOIN revocations v ON v.token = k.token `

func scanToken(row scanner) (Token, error) {
	var k Token
	var id, namespace, owner []byte
	var repositories string
	var issued, expires int64
	if err := row.Scan(&id, &namespace, &k.Kind, &owner, &k.OwnerKind, &k.Name, &k.Hash, &k.Level, &repositories,
		&issued, &expires, &k.Seq, &k.Revoked); err != nil {
		return k, err
	}
	k.ID, k.Namespace, k.Owner, k.Issued = projections.IDOf(id), projections.IDOf(namespace), projections.IDOf(owner), timeOf(issued)
	if expires != 0 {
		at := timeOf(expires)
		k.Expires = &at
	}
	if repositories != "" {
		if err := json.Unmarshal([]byte(repositories), &k.Repositories); err != nil {
			return k, fmt.Errorf("repositories of token %s: %w", k.ID, err)
		}
	}
	return k, nil
}

// TokenByHash finds a token, revoked or not, by its SHA-256. ErrNotFound.
func (r Reader) TokenByHash(ctx context.Context, sum []byte) (*Token, error) {
	k, err := scanToken(r.DB.QueryRowContext(ctx, tokenColumns+`WHERE k.hash = $1 LIMIT 1`, sum))
	if err != nil {
		return nil, notFound(err, "token")
	}
	return &k, nil
}

// Token finds a token, revoked or not, by its id; ErrNotFound if there is none.
func (r Reader) Token(ctx context.Context, id string) (*Token, error) {
	raw, err := key(id)
	if err != nil {
		return nil, err
	}
	k, err := scanToken(r.DB.QueryRowContext(ctx, tokenColumns+`WHERE k.token = $1`, raw))
	if err != nil {
		return nil, notFound(err, "token %s", id)
	}
	return &k, nil
}

// A LiveToken is a token that was not revoked.
type LiveToken struct {
	ID   string
	Kind string // events.TokenAccess or events.TokenLogin
}

// LiveTokens lists the valid tokens of an owner, oldest first: those that are
// neither revoked nor expired and, for logins, not older than the password.
func (r Reader) LiveTokens(ctx context.Context, owner string) ([]LiveToken, error) {
	raw, err := key(owner)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, r.DB, func(row scanner) (LiveToken, error) {
		var k LiveToken
		var id []byte
		err := row.Scan(&id, &k.Kind)
		k.ID = projections.IDOf(id)
		return k, err
	}, `SELECT l.token, l.kind FROM live l LEFT JOIN passwords p ON p.account = l.account
		WHERE l.account = $1 AND (l.expires = 0 OR l.expires > $2)
		AND (l.kind <> 'login' OR p.seq IS NULL OR l.seq > p.seq) ORDER BY l.seq`, raw, time.Now().UnixMicro())
}

// Tokens lists the tokens of an owner, at most 1,000: first those that are
// neither revoked nor expired, then the others, and the newest of each first.
func (r Reader) Tokens(ctx context.Context, owner string) ([]Token, error) {
	raw, err := key(owner)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, r.DB, scanToken, tokenColumns+`WHERE k.account = $1
		ORDER BY CASE WHEN v.token IS NULL AND (k.expires = 0 OR k.expires > $2) THEN 0 ELSE 1 END, k.time DESC, k.token DESC
		LIMIT $3`, raw, time.Now().UnixMicro(), maxTokens)
}
