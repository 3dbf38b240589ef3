package auth_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
)

// issue records n tokens of an account, and returns the id of the first.
func (h *hub) issue(owner, kind string, n int) (first string) {
	h.t.Helper()
	var last uint64
	for k := range n {
		id, err := command.NewID()
		check(h.t, err)
		sum := sha256.Sum256([]byte(id))
		soon := time.Now().Add(time.Hour)
		last, err = account.IssueToken(h.t.Context(), h.log, by, events.TokenIssued{Namespace: owner, Token: id, Kind: kind, Owner: owner, OwnerKind: "user",
			Name: fmt.Sprint(kind, k), Hash: sum[:], Level: events.LevelRead, Expires: &soon})
		check(h.t, err)
		if k == 0 {
			first = id
		}
	}
	h.done(last, nil)
	return first
}

// An account has so many tokens and no more: a login ends the oldest one, and
// says why in the log.
func TestTokensAreBounded(t *testing.T) {
	h := withAlice(t)
	ctx, id := t.Context(), userID(t, h, "alice")
	h.issue(id, events.TokenAccess, 50)
	oldest := h.issue(id, events.TokenLogin, account.MaxTokens-50)
	owner, err := h.read.AccountByID(ctx, id)
	check(t, err)
	before, err := h.log.LastSeq(ctx)
	check(t, err)
	if _, _, _, err := h.IssueToken(ctx, by, owner, events.TokenIssued{Name: "more", Level: events.LevelRead}); !errors.Is(err, account.ErrTokenLimit) || !errors.Is(err, account.ErrInvalid) {
		t.Errorf("one more: %v", err)
	}
	if after, err := h.log.LastSeq(ctx); err != nil || after != before {
		t.Errorf("a refused token left %d events, %v", after-before, err)
	}
	login := h.get(basic("alice", alicesPassword), url.Values{"offline_token": {"true"}})
	if login.Refresh == "" {
		t.Fatalf("no login: %+v", login)
	}
	revoked, err := h.log.Last(ctx, events.TokenSubject(id, oldest))
	check(t, err)
	check(t, h.view.Wait(ctx, revoked.Seq))
	issued, err := h.log.Get(ctx, revoked.Seq-1)
	check(t, err)
	if revoked.Type() != "token.revoked.v1" || issued.Type() != "token.issued.v1" || revoked.Cause() != issued.ID() || revoked.Actor() != "system" {
		t.Errorf("%+v after %+v", revoked, issued)
	}
	if live, err := h.read.LiveTokens(ctx, id); err != nil || len(live) != account.MaxTokens {
		t.Errorf("%d tokens, %v", len(live), err)
	}
	if a := h.get(basic("alice", login.Refresh), nil); a.status != 200 {
		t.Errorf("the new login: %+v", a)
	}
	h.done(revoke(ctx, h, id, h.firstLive(id)))
	h.token("alice", events.TokenIssued{Level: events.LevelRead})
}

func (h *hub) firstLive(owner string) string {
	h.t.Helper()
	live, err := h.read.LiveTokens(h.t.Context(), owner)
	check(h.t, err)
	return live[0].ID
}

// Access tokens are not ended by a login: who has nothing else keeps the password.
func TestLoginsEndNoAccessTokens(t *testing.T) {
	h := withAlice(t)
	id := userID(t, h, "alice")
	h.issue(id, events.TokenAccess, account.MaxTokens)
	login := h.get(basic("alice", alicesPassword), url.Values{"offline_token": {"true"}})
	if login.status != 200 || login.Token == "" || login.Refresh != "" {
		t.Errorf("%+v", login)
	}
	if live, err := h.read.LiveTokens(t.Context(), id); err != nil || len(live) != account.MaxTokens {
		t.Errorf("%d tokens, %v", len(live), err)
	}
}

// However much is asked for, a token says little of what was refused.
func TestRefusedNamesAreFew(t *testing.T) {
	h := withAlice(t)
	var scopes []string
	for k := range 100 {
		scopes = append(scopes, fmt.Sprintf("repository:bob/app%d:push", k))
	}
	a := h.get(anonymous, url.Values{"scope": scopes})
	if a.status != 200 || len(a.Token) > 1000 {
		t.Errorf("%d, %d bytes", a.status, len(a.Token))
	}
}
