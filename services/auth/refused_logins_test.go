package auth_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hubledger/events"
	"hubledger/services/auth"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
)

func TestRefusedLoginsAreOneEvent(t *testing.T) {
	h := withAlice(t)
	ctx := t.Context()
	at := func(addr string, how call) {
		h.Authenticate(request(t, "GET", "/", "", from(addr, how)))
	}
	for _, guess := range []string{"wrong-1-wrong", "wrong-2-wrong", "wrong-3-wrong"} {
		at("192.0.2.1", basic("alice", guess))
	}
	at("192.0.2.2", basic("my-password-in-the-wrong-field", "alice"))
	at("192.0.2.2", bearer("hlt_"+strings.Repeat("A", 43)))
	before, err := h.log.LastSeq(ctx)
	check(t, err)
	check(t, h.Close(ctx))
	check(t, h.Close(ctx))
	e, err := h.log.Last(ctx, events.LoginsSubject(h.activity.Node()))
	check(t, err)
	if after, err := h.log.LastSeq(ctx); err != nil || after != before+1 || e == nil {
		t.Fatalf("%d events, %v", after-before, err)
	}
	p, err := events.Decode(e)
	check(t, err)
	r := p.(events.LoginsRefused)
	if r.Attempts != 5 || r.Addresses != 2 || r.Unknown != 2 || len(r.Accounts) != 1 || r.Accounts[0] != (events.RefusedAccount{Name: "alice", Attempts: 3}) || !r.From.Before(r.Until) {
		t.Errorf("%+v", r)
	}
	for _, no := range []string{"192.0.2", "wrong", "field", "hlt_"} {
		if strings.Contains(string(e.Data), no) {
			t.Errorf("the event has %q: %s", no, e.Data)
		}
	}
}

// Too many wrong passwords from one address are answered with how long to wait.
func TestBackOff(t *testing.T) {
	h := withAlice(t)
	try := func(password string) answer {
		return h.get(from("192.0.2.7", basic("alice", password)), url.Values{"scope": {"repository:alice/app:pull"}})
	}
	n := 0
	for ; n < 20 && try("wrong-password-"+string(rune('a'+n))).status == 401; n++ {
	}
	if n < 5 || n > 7 {
		t.Fatalf("%d wrong passwords were looked at", n)
	}
	a := try(alicesPassword)
	if a.status != 429 || a.header.Get("Retry-After") == "" || a.Errors[0].Code != "TOOMANYREQUESTS" {
		t.Errorf("%+v", a)
	}
	token := h.token("alice", events.TokenIssued{Level: events.LevelRead})
	if a := h.get(from("192.0.2.7", basic("alice", token)), nil); a.status != 200 {
		t.Errorf("an access token waits: %+v", a)
	}
	if a := h.get(basic("alice", alicesPassword), nil); a.status != 200 {
		t.Errorf("another address waits: %+v", a)
	}
}

// Guesses that are sent all at once are no more than those in a row.
func TestGuessesAtOnce(t *testing.T) {
	h := withAlice(t)
	var work sync.WaitGroup
	var looked atomic.Int64
	for i := range 50 {
		work.Go(func() {
			a := h.get(from("192.0.2.8", basic("alice", fmt.Sprint("wrong-password-", i))), nil)
			if a.status == 401 {
				looked.Add(1)
			} else if a.status != 429 {
				t.Errorf("%+v", a)
			}
		})
	}
	work.Wait()
	if n := looked.Load(); n < 5 || n > 8 {
		t.Errorf("%d guesses were looked at", n)
	}
	for range 20 { // and right ones leave nothing behind
		work.Go(func() {
			if a := h.get(from("192.0.2.9", basic("alice", alicesPassword)), nil); a.status != 200 {
				t.Errorf("%+v", a)
			}
		})
	}
	work.Wait()
}

// What is secret is nowhere but in the secrets: not in the log, nor in any
// file of the hub, nor in what it logs, in the clear or in base64.
func TestNothingSecretIsWritten(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	first, err := h.Initialize(ctx)
	check(t, err)
	id := h.user("alice", alicesPassword)
	h.done(h.SetEmail(ctx, by, id, "alice@example.test"))
	login := h.get(basic("alice", alicesPassword), url.Values{"offline_token": {"true"}})
	token := h.token("alice", events.TokenIssued{Level: events.LevelRead})
	h.get(basic("alice", token), nil)
	h.get(basic("alice", "a-wrong-password"), nil)
	h.get(basic("a-password-as-name", "x"), nil)
	check(t, h.Close(ctx))
	check(t, h.activity.Flush(ctx))
	check(t, os.Remove(first.PasswordFile))
	secrets := []string{alicesPassword, "alice@example.test", login.Refresh, token, first.Password, "a-wrong-password", "a-password-as-name", "argon2id", login.Token, "AGE-SECRET-KEY"}
	n := 0
	err = filepath.WalkDir(h.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Base(path) == "secrets.key" {
			return err
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a temporary file that is gone again
		}
		n++
		for _, s := range secrets {
			if strings.Contains(string(data), s) || strings.Contains(string(data), base64Encode(s)) {
				t.Errorf("%s has %q", path, s)
			}
		}
		return err
	})
	if err != nil || n < 5 {
		t.Errorf("%d files, %v", n, err)
	}
	for _, s := range secrets {
		if strings.Contains(h.logged.String(), s) {
			t.Errorf("%q was logged", s)
		}
	}
}

// readOnly is a log that takes nothing.
type readOnly struct{ auth.Log }

func (readOnly) Append(context.Context, events.Event, uint64) (uint64, error) {
	return 0, events.ErrReadOnly
}

// What was refused while the log is read-only cannot be recorded, and that is
// no fault of the one who stops the hub.
func TestStopWhileReadOnly(t *testing.T) {
	h := withAlice(t)
	c := h.config
	c.Log = readOnly{c.Log}
	s := auth.New(c).HashCheaply()
	if a := serve(t, s, request(t, "GET", "/token", "", basic("alice", "a-wrong-password"))); a.status != 401 {
		t.Fatalf("%+v", a)
	}
	check(t, s.Close(t.Context()))
}

// Without secrets there is a hub that serves what is public.
func TestQuarantine(t *testing.T) {
	h := withAlice(t)
	c := h.config
	c.Secrets = nil
	s := auth.New(c).HashCheaply()
	run, stop := context.WithCancel(t.Context())
	stop()
	s.Run(run)
	for _, how := range []call{basic("alice", alicesPassword), basic("nobody", "x")} {
		if a := serve(t, s, request(t, "GET", "/token", "", how)); a.status != 503 {
			t.Errorf("%+v", a)
		}
	}
	// Passwords cannot be looked at, but nobody and access tokens can be served.
	for _, how := range []call{anonymous, basic("alice", h.token("alice", events.TokenIssued{Level: events.LevelRead}))} {
		if a := serve(t, s, request(t, "GET", "/token", "", how)); a.status != 200 {
			t.Errorf("%+v", a)
		}
	}
	if _, err := s.Initialize(t.Context()); !errors.Is(err, events.ErrReadOnly) {
		t.Error(err)
	}
	if _, err := s.SetPassword(t.Context(), command.By{}, userID(t, h, "alice"), "another-password"); !errors.Is(err, events.ErrReadOnly) {
		t.Error(err)
	}
}

func TestEveryRouteSaysWhoMayHaveIt(t *testing.T) {
	h := start(t)
	for _, r := range h.Service().Routes {
		if r.Permission == access.Undeclared {
			t.Errorf("%s has no declared permission", r.Pattern)
		}
		if a := serve(t, h, request(t, r.Method, r.Pattern, "", anonymous)); a.status == 404 || a.status == 405 {
			t.Errorf("%s is not served: %d", r.Pattern, a.status)
		}
	}
	if a := serve(t, h, request(t, "GET", "/other", "", anonymous)); a.status != 404 {
		t.Errorf("%d", a.status)
	}
}
