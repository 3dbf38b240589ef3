package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hubledger/projections"
)

// A Token is an access token as it was issued, and what has ended it since. The
// caller has to check that its owner still exists.
type Token struct {
	ID, Namespace    string
	Kind             string // events.TokenAccess, TokenLogin or TokenSession
	Owner, OwnerKind string // id; user or robot
	Name             string
	Level            string   // read, write, delete or admin; of a login never more than delete
	Hash             []byte   // SHA-256 of the token
	Repositories     []string // full names; nil for all
	Issuers          []string // ids of the tokens that it ends with, the nearest first; nil for none
	Issued           time.Time
	Expires          *time.Time // nil for never
	Revoked          bool
	IssuerRevoked    bool   // one of Issuers was revoked
	PasswordChanged  bool   // it is a login or a session by an earlier password
	Seq              uint64 // of token.issued
}

// What has ended a token.
const (
	EndedRevoked  = "revoked"
	EndedIssuer   = "issuer"   // a token that it was issued by was revoked
	EndedPassword = "password" // the password that the login was made by was changed
	EndedExpired  = "expired"
)

// Ended says what has ended a token by then, "" while it is good. It does not
// expire after its issuers: see account.IssuedBy.
func (k *Token) Ended(now time.Time) string {
	switch {
	case k.Revoked:
		return EndedRevoked
	case k.IssuerRevoked:
		return EndedIssuer
	case k.PasswordChanged:
		return EndedPassword
	case k.Expires != nil && !now.Before(*k.Expires):
		return EndedExpired
	}
	return ""
}

const (
	issuerRevoked   = `EXISTS (SELECT 1 FROM issuers i JOIN revocations w ON w.token = i.issuer WHERE i.token = k.token)`
	passwordChanged = `k.kind IN ('login', 'session') AND p.seq IS NOT NULL AND p.seq > k.seq`
	tokenColumns    = `SELECT k.token, k.namespace, k.kind, k.account, k.owner_kind, k.name, k.hash, k.level, k.repositories, k.issuers,
	k.time, k.expires, k.seq, CASE WHEN v.token IS NULL THEN 0 ELSE 1 END, CASE WHEN ` + issuerRevoked + ` THEN 1 ELSE 0 END,
	CASE WHEN ` + passwordChanged + ` THEN 1 ELSE 0 END
	FROM tokens k LEFT JOIN revocations v ON v.token = k.token LEFT JOIN passwords p ON p.account = k.account `
)

func scanToken(row projections.Row) (Token, error) {
	var k Token
	var id, namespace, owner []byte
	var repositories, issuers string
	var issued, expires int64
	if err := row.Scan(&id, &namespace, &k.Kind, &owner, &k.OwnerKind, &k.Name, &k.Hash, &k.Level, &repositories, &issuers,
		&issued, &expires, &k.Seq, &k.Revoked, &k.IssuerRevoked, &k.PasswordChanged); err != nil {
		return k, err
	}
	k.ID, k.Namespace, k.Owner, k.Issued = projections.IDOf(id), projections.IDOf(namespace), projections.IDOf(owner), timeOf(issued)
	if expires != 0 {
		at := timeOf(expires)
		k.Expires = &at
	}
	for list, encoded := range map[*[]string]string{&k.Repositories: repositories, &k.Issuers: issuers} {
		if encoded == "" {
			continue
		}
		if err := json.Unmarshal([]byte(encoded), list); err != nil {
			return k, fmt.Errorf("lists of token %s: %w", k.ID, err)
		}
	}
	return k, nil
}

// TokenByHash finds a token, ended or not, by its SHA-256. ErrNotFound.
func (r Reader) TokenByHash(ctx context.Context, sum []byte) (*Token, error) {
	k, err := scanToken(r.DB.QueryRowContext(ctx, tokenColumns+`WHERE k.hash = $1 LIMIT 1`, sum))
	if err != nil {
		return nil, notFound(err, "token")
	}
	return &k, nil
}

// Token finds a token, ended or not, by its id; ErrNotFound if there is none.
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
	Kind string // events.TokenAccess, TokenLogin or TokenSession
}

// LiveTokens lists the valid tokens of an owner, oldest first.
func (r Reader) LiveTokens(ctx context.Context, owner string) ([]LiveToken, error) {
	raw, err := key(owner)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (LiveToken, error) {
		var k LiveToken
		var id []byte
		err := row.Scan(&id, &k.Kind)
		k.ID = projections.IDOf(id)
		return k, err
	}, `SELECT k.token, k.kind FROM live k LEFT JOIN passwords p ON p.account = k.account
		WHERE k.account = $1 AND (k.expires = 0 OR k.expires > $2)
		AND NOT (`+passwordChanged+`) AND NOT `+issuerRevoked+` ORDER BY k.seq`, raw, time.Now().UnixMicro())
}

// A TokenList asks for tokens of an owner: those that are good, or those that have ended.
type TokenList struct {
	Owner string
	Ended bool
	Kind  string // of events.TokenIssued; "" for all
	// After is the last token of the page before, by its time and id; nil for the first page.
	After *Token
	N     int
}

// Tokens lists at most N tokens of an owner, the newest first.
func (r Reader) Tokens(ctx context.Context, q TokenList) ([]Token, error) {
	raw, err := key(q.Owner)
	if err != nil {
		return nil, err
	}
	const good = `(v.token IS NULL AND (k.expires = 0 OR k.expires > $2) AND NOT (` + passwordChanged + `) AND NOT ` + issuerRevoked + `)`
	query, args := tokenColumns+`WHERE k.account = $1 AND k.token IN (SELECT l.token FROM live l WHERE l.account = $1) AND `+good, []any{raw, time.Now().UnixMicro()}
	if q.Ended {
		query = tokenColumns + `WHERE k.account = $1 AND NOT ` + good
	}
	if q.Kind != "" {
		args = append(args, q.Kind)
		query += fmt.Sprintf(` AND k.kind = $%d`, len(args))
	}
	if q.After != nil {
		id, err := key(q.After.ID)
		if err != nil {
			return nil, err
		}
		args = append(args, q.After.Issued.UnixMicro(), id)
		query += fmt.Sprintf(` AND (k.time, k.token) < ($%d, $%d)`, len(args)-1, len(args))
	}
	args = append(args, q.N)
	return projections.ListOf(ctx, r.DB, scanToken, query+fmt.Sprintf(` ORDER BY k.time DESC, k.token DESC LIMIT $%d`, len(args)), args...)
}

// IssuedByTokens counts, by the id of each token of an owner, the tokens of
// anybody that have not been revoked and would end with it.
func (r Reader) IssuedByTokens(ctx context.Context, owner string) (map[string]int, error) {
	raw, err := key(owner)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	_, err = projections.ListOf(ctx, r.DB, func(row projections.Row) (struct{}, error) {
		var id []byte
		var n int
		err := row.Scan(&id, &n)
		counts[projections.IDOf(id)] = n
		return struct{}{}, err
	}, `SELECT o.token, COUNT(*) FROM live o JOIN issuers i ON i.issuer = o.token JOIN live k ON k.namespace = i.namespace AND k.token = i.token
		WHERE o.account = $1 AND (k.expires = 0 OR k.expires > $2) AND NOT `+issuerRevoked+` GROUP BY o.token`, raw, time.Now().UnixMicro())
	return counts, err
}
