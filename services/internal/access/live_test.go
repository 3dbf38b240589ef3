package access_test

import (
	"errors"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
)

func TestLive(t *testing.T) {
	onEach(t, func(t *testing.T, h *hub) {
		w, ctx := newWorld(h), t.Context()
		live := func(what string, p access.Principal, want error) access.Principal {
			t.Helper()
			w.wait()
			p, err := w.Live(ctx, p)
			if !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
			return p
		}
		live("nobody", access.Nobody, nil)
		if p := live("operator", access.Operates, nil); !p.Admin {
			t.Error("the operator is no administrator")
		}
		if p := live("token", w.user, nil); p.Admin || p.ID != w.user.ID {
			t.Errorf("token: %+v", p)
		}
		was := w.user
		was.Admin = true
		if p := live("administrator of yesterday", was, nil); p.Admin {
			t.Error("what the principal says of itself counts")
		}

		stolen := w.owner
		stolen.Credential = w.token
		live("token of another", stolen, access.ErrCredential)
		unknown := w.user
		unknown.Credential = newID(t)
		live("no such token", unknown, access.ErrCredential)
		unknown.Credential = ""
		live("no credential", unknown, access.ErrCredential)
		live("no such account", access.Principal{Kind: access.User, ID: newID(t), Credential: w.token}, access.ErrAccount)
		live("no kind", access.Principal{ID: w.user.ID, Credential: w.token}, access.ErrAccount)

		// A token that a password made ends with it.
		h.done(account.PasswordChanged(ctx, h.log, by, w.user.ID))
		h.wait()
		a, err := h.read.AccountByID(ctx, w.user.ID)
		check(t, err)
		password, login := w.user, w.user
		password.Credential, password.PasswordSeq = access.Password, a.PasswordSeq
		login.Credential = w.issue(events.TokenLogin)
		live("password", password, nil)
		live("token of the password", login, nil)
		live("token of no password", w.user, nil)
		h.done(account.PasswordChanged(ctx, h.log, by, w.user.ID))
		live("old password", password, access.ErrCredential)
		live("token of the old password", login, access.ErrCredential)
		live("token of no password, again", w.user, nil)

		// So does what was proved by a password alone, before a second factor was asked for,
		// but no token that it made.
		a, err = h.read.AccountByID(ctx, w.user.ID)
		check(t, err)
		password.PasswordSeq, login.Credential = a.ProofSeq(), w.issue(events.TokenLogin)
		live("new password", password, nil)
		for _, factor := range []string{newID(t), ""} {
			seq, err := account.TurnOffSecondFactor(ctx, h.log, by, w.user.ID)
			if factor != "" {
				seq, err = account.TurnOnSecondFactor(ctx, h.log, by, h.read, h.view.Wait, w.user.ID, factor)
			}
			h.done(seq, err)
			live("before the second factor", password, access.ErrCredential)
			live("token of the password, before the second factor", login, nil)
			a, err = h.read.AccountByID(ctx, w.user.ID)
			check(t, err)
			if password.PasswordSeq = a.ProofSeq(); a.SecondFactor != factor {
				t.Errorf("the second factor is %q, not %q", a.SecondFactor, factor)
			}
			live("with the second factor", password, nil)
		}

		// A token of a robot account, which has no password.
		k := newID(t)
		soon := time.Now().Add(time.Hour)
		h.done(account.IssueToken(ctx, h.log, by, events.TokenIssued{Namespace: w.acme, Token: k, Kind: events.TokenAccess, Owner: w.robot.ID,
			OwnerKind: "robot", Name: "ci", Hash: []byte(digest.FromString(k).Encoded())[:32], Level: events.LevelRead, Expires: &soon}))
		robot := w.robot
		robot.Credential = k
		live("robot", robot, nil)
		robot.Credential = access.Password
		live("password of a robot", robot, access.ErrCredential)

		h.done(account.SetStanding(ctx, h.log, by, h.read, w.user.ID, true, false))
		if p := live("new administrator", w.user, nil); !p.Admin {
			t.Error("the standing does not count")
		}
		h.done(account.RevokeToken(ctx, h.log, by, w.user.ID, w.token))
		live("revoked", w.user, access.ErrCredential)
	})
}
