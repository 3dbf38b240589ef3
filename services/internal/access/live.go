package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
)

var (
	// ErrAccount: the account is disabled, erased or deleted.
	ErrAccount = errors.New("the account is disabled or gone")
	// ErrCredential: the principal's credential has ended: the token was revoked
	// or is expired, or the password was changed, or how it is proved.
	ErrCredential = errors.New("the credential is revoked, expired or replaced")
)

// credential is what the projection says of a principal's credential. It is kept
// in memory.
type credential struct {
	account *accounts.Account
	token   *accounts.Token // nil for a password
}

// Live checks again, by the accounts projection and the clock, that the
// principal's account and credential are good, and returns it with Admin as it
// is now. The errors wrap ErrAccount, ErrCredential and ErrParked; it does not
// say whether the projection is fresh.
func (r *Rights) Live(ctx context.Context, p Principal) (Principal, error) {
	if p.Kind == Anonymous || p.Kind == Operator {
		return p, nil
	}
	if p.Kind == Host {
		return r.liveHost(ctx, p)
	}
	c, err := r.credential(ctx, p)
	switch {
	case err != nil:
		return Nobody, err
	case c.account == nil || c.account.ID != p.ID || !alive(c.account, p.Kind):
		return Nobody, ErrAccount
	case !c.good(p):
		return Nobody, ErrCredential
	}
	p.Admin = c.account.Admin
	return p, nil
}

func (c *credential) good(p Principal) bool {
	if p.Credential == Password {
		return p.Kind == User && p.PasswordSeq == c.account.ProofSeq()
	}
	return c.token != nil && c.token.Owner == p.ID && c.token.Ended(time.Now()) == ""
}

func (r *Rights) credential(ctx context.Context, p Principal) (*credential, error) {
	v, epoch := r.credentials.get(p.Credential, p.who())
	parked := r.cfg.View.HasParked()
	if c, ok := v.(*credential); ok && !parked {
		return c, nil
	}
	c := &credential{}
	var err error
	if c.account, err = r.cfg.Read.AccountByID(ctx, p.ID); err != nil && !isUnknown(err) {
		return nil, fmt.Errorf("look up account %s: %w", p.ID, err)
	}
	if p.Credential != Password {
		if c.token, err = r.cfg.Read.Token(ctx, p.Credential); err != nil && !isUnknown(err) {
			return nil, fmt.Errorf("look up token %s: %w", p.Credential, err)
		}
	}
	if !parked {
		if c.account != nil && (c.token != nil || p.Credential == Password) { // else it may be there soon
			r.credentials.put(epoch, p.Credential, p.who(), c)
		}
		return c, nil
	}
	var dependsOn []string
	if c.account != nil {
		dependsOn = accountSubjects(c.account)
	}
	if c.token != nil {
		dependsOn = append(dependsOn, events.TokenSubject(c.token.Namespace, c.token.ID))
		for _, issuer := range c.token.Issuers {
			t, err := r.cfg.Read.Token(ctx, issuer)
			if err != nil && !isUnknown(err) {
				return nil, fmt.Errorf("look up token %s: %w", issuer, err)
			}
			if err == nil {
				dependsOn = append(dependsOn, events.TokenSubject(t.Namespace, issuer))
			}
		}
	}
	return c, r.refuseParked(p, dependsOn)
}
