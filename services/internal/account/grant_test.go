package account_test

import (
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/account"
)

func TestGrants(t *testing.T) {
	d, ctx := open(t), t.Context()
	g := events.GrantGiven{Namespace: id(1), Repository: id(2), Grantee: id(3), GranteeKind: "user", Role: "read"}
	give := func(change func(*events.GrantGiven)) func() (uint64, error) {
		return func() (uint64, error) {
			g := g
			change(&g)
			return account.GiveGrant(ctx, d.log, by, g)
		}
	}
	as := func(*events.GrantGiven) {}
	withdraw := func() (uint64, error) {
		return account.WithdrawGrant(ctx, d.log, by, events.GrantWithdrawn{Namespace: id(1), Repository: id(2), Grantee: id(3), GranteeKind: "user"})
	}
	d.refuses("withdraw what was not given", account.ErrUnknown, withdraw)
	seq := d.appends("give", give(as))
	d.appendsNothing("give again", seq, give(as))
	d.appends("give more", give(func(g *events.GrantGiven) { g.Role = "admin" }))
	d.appends("on the namespace", give(func(g *events.GrantGiven) { g.Repository = "" }))
	seq = d.appends("withdraw", withdraw)
	d.appendsNothing("withdraw again", seq, withdraw)
	d.appends("give anew", give(as))
	d.refuses("role", account.ErrInvalid, give(func(g *events.GrantGiven) { g.Role = "owner" }))
	d.refuses("kind", account.ErrInvalid, give(func(g *events.GrantGiven) { g.GranteeKind = "organization" }))
	d.refuses("grantee", account.ErrUnknown, give(func(g *events.GrantGiven) { g.Grantee = "" }))
	d.refuses("namespace", account.ErrUnknown, give(func(g *events.GrantGiven) { g.Namespace = ">" }))
	d.refuses("repository", account.ErrUnknown, give(func(g *events.GrantGiven) { g.Repository = "_" }))
}

func TestTokens(t *testing.T) {
	d, ctx := open(t), t.Context()
	at := time.Now().Add(time.Hour)
	good := events.TokenIssued{Namespace: id(1), Token: id(2), Kind: "access", Owner: id(1), OwnerKind: "user", Name: "laptop", Hash: make([]byte, 32),
		Level: "write", Repositories: []string{"alice/app", "busybox"}, Expires: &at}
	issue := func(change func(*events.TokenIssued)) func() (uint64, error) {
		return func() (uint64, error) {
			k := good
			change(&k)
			return account.IssueToken(ctx, d.log, by, k)
		}
	}
	revoke := func() (uint64, error) { return account.RevokeToken(ctx, d.log, by, id(1), id(2)) }
	d.refuses("revoke what was not issued", account.ErrUnknown, revoke)
	d.appends("issue", issue(func(*events.TokenIssued) {}))
	d.refuses("the same id", events.ErrConflict, issue(func(*events.TokenIssued) {}))
	seq := d.appends("revoke", revoke)
	d.appendsNothing("revoke again", seq, revoke)
	d.appends("of a robot, for ever", issue(func(k *events.TokenIssued) {
		k.Token, k.Owner, k.OwnerKind, k.Expires, k.Repositories = id(3), id(9), "robot", nil, nil
	}))
	past := time.Now()
	for what, change := range map[string]func(*events.TokenIssued){
		"kind":                func(k *events.TokenIssued) { k.Kind = "" },
		"owner's kind":        func(k *events.TokenIssued) { k.OwnerKind = "team" },
		"owner's namespace":   func(k *events.TokenIssued) { k.Owner = id(5) },
		"level":               func(k *events.TokenIssued) { k.Level = "all" },
		"hash":                func(k *events.TokenIssued) { k.Hash = make([]byte, 31) },
		"no name":             func(k *events.TokenIssued) { k.Name = "" },
		"long name":           func(k *events.TokenIssued) { k.Name = strings.Repeat("x", 101) },
		"name with a newline": func(k *events.TokenIssued) { k.Name = "a\nb" },
		"broken name":         func(k *events.TokenIssued) { k.Name = "\xff" },
		"expired":             func(k *events.TokenIssued) { k.Expires = &past },
		"no repositories":     func(k *events.TokenIssued) { k.Repositories = []string{} },
		"many repositories":   func(k *events.TokenIssued) { k.Repositories = make([]string, 101) },
		"bad repository":      func(k *events.TokenIssued) { k.Repositories = []string{"Alice/app"} },
		"not its full name":   func(k *events.TokenIssued) { k.Repositories = []string{"library/busybox"} },
	} {
		d.refuses(what, account.ErrInvalid, issue(func(k *events.TokenIssued) { k.Token = id(4); change(k) }))
	}
	d.refuses("id", account.ErrUnknown, issue(func(k *events.TokenIssued) { k.Token = "" }))
}
