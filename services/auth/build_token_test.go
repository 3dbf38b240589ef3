package auth_test

import (
	"errors"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
)

// A build has the rights of the account that asked for it; by an access token no more than
// that may, and only as long as it is good. A robot account has none without a token.
func TestBuildTokens(t *testing.T) {
	h, ctx := withAlice(t), t.Context()
	h.repository("alice/base", events.Private)
	alice, err := h.read.Account(ctx, "alice")
	check(t, err)
	_, narrow, seq, err := h.IssueToken(ctx, by, alice, events.TokenIssued{Name: "x", Level: events.LevelWrite, Repositories: []string{"alice/app"}})
	h.done(seq, err)
	_, reads, seq, err := h.IssueToken(ctx, by, alice, events.TokenIssued{Name: "y", Level: events.LevelRead})
	h.done(seq, err)
	org := h.made(account.CreateOrganization(ctx, h.log, by, "acme", alice.ID))
	robot := h.made(account.CreateRobot(ctx, h.log, by, org, "ci", ""))
	ci, err := h.read.Account(ctx, "acme+ci")
	check(t, err)
	_, robots, seq, err := h.IssueToken(ctx, by, ci, events.TokenIssued{Name: "z", Level: events.LevelWrite})
	h.done(seq, err)

	may := func(account, by, repository string, push bool) bool {
		t.Helper()
		text, _, err := h.BuildToken(ctx, account, by, repository, push)
		check(t, err)
		level := access.Read
		if push {
			level = access.Write
		}
		_, err = h.Authorize(request(t, "GET", "/v2/", "", bearer(text)), need(repository, level))
		return err == nil
	}
	for _, c := range []struct {
		by, repository string
		push, want     bool
	}{
		{"", "alice/app", true, true}, {"", "alice/base", false, true}, {"", "bob/app", false, false},
		{narrow, "alice/app", true, true}, {narrow, "alice/base", false, false}, {narrow, "alice/base", true, false},
		{reads, "alice/app", false, true}, {reads, "alice/app", true, false}, {reads, "alice/base", false, true},
	} {
		if got := may(alice.ID, c.by, c.repository, c.push); got != c.want {
			t.Errorf("by the token %q a build of alice may do %s (push: %t): %t", c.by, c.repository, c.push, got)
		}
		if !c.push {
			continue
		}
		if got, err := h.BuildPushes(ctx, alice.ID, c.by, c.repository); err != nil || got != c.want {
			t.Errorf("by the token %q a build of alice may push to %s: %t, %v", c.by, c.repository, got, err)
		}
	}
	if may(robot, robots, "alice/app", false) {
		t.Error("a build of a robot account may pull what that may not")
	}
	text, _, err := h.BuildToken(ctx, alice.ID, narrow, "alice/app", true)
	check(t, err)
	h.done(revoke(ctx, h, alice.Namespace, narrow))
	if _, err := h.Authorize(request(t, "GET", "/v2/", "", bearer(text)), need("alice/app", access.Write)); err == nil {
		t.Error("a build goes on by a token that was revoked")
	}
	for what, c := range map[string]struct{ account, by string }{"a revoked token": {alice.ID, narrow}, "a token of somebody else": {alice.ID, robots}, "a robot account without a token": {robot, ""}} {
		if _, _, err := h.BuildToken(ctx, c.account, c.by, "alice/app", true); !errors.Is(err, access.ErrCredential) && !errors.Is(err, access.ErrAccount) {
			t.Errorf("%s: %v", what, err)
		}
		if may, err := h.BuildPushes(ctx, c.account, c.by, "alice/app"); may || !errors.Is(err, access.ErrCredential) && !errors.Is(err, access.ErrAccount) {
			t.Errorf("%s: may push: %t, %v", what, may, err)
		}
	}
}
