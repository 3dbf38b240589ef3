package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/totp"
)

// An authenticator is a person's. It has two codes that were not used: that of now and the
// next one, which is good already. So a step that ends meanwhile does no harm.
type authenticator struct {
	key  []byte
	next uint64
}

func (a *authenticator) code(t *testing.T) string {
	t.Helper()
	now := totp.Step(time.Now())
	if a.next = max(a.next, now); a.next > now+1 {
		t.Fatal("the test needs more codes than there are")
	}
	a.next++
	return totp.Code(a.key, a.next-1)
}

func (a *authenticator) wrong() string {
	now := totp.Step(time.Now())
	for n := 0; ; n++ {
		code, near := fmt.Sprintf("%06d", n), false
		for step := now - 3; step <= now+3; step++ {
			near = near || totp.Code(a.key, step) == code
		}
		if !near {
			return code
		}
	}
}

// withFactor is a hub on which alice has a second factor.
func withFactor(t *testing.T) (h *hub, app *authenticator, recovery []string) {
	t.Helper()
	h = withAlice(t)
	key := totp.NewKey()
	raw, err := totp.ParseKey(key)
	check(t, err)
	app = &authenticator{key: raw}
	recovery, seq, err := h.TurnOnSecondFactor(t.Context(), by, alice(t, h), key, app.code(t))
	h.done(seq, err)
	return h, app, recovery
}

func alice(t *testing.T, h *hub) *accounts.Account {
	t.Helper()
	a, err := h.read.Account(t.Context(), "alice")
	check(t, err)
	return a
}

// factors are the names of the records of second factors of a user.
func factors(t *testing.T, h *hub, id string) []string {
	t.Helper()
	keys, err := h.secrets.Keys(t.Context(), "user."+id+".factor.")
	check(t, err)
	return keys
}

func withCode(code string, how call) call {
	return func(r *http.Request) {
		how(r)
		r.Header.Set(apitypes.CodeHeader, code)
	}
}

func denied(t *testing.T, err error) *access.Denied {
	t.Helper()
	var d *access.Denied
	if !errors.As(err, &d) {
		t.Fatalf("not refused: %v", err)
	}
	return d
}

// Where there is a second factor the password alone opens nothing: not by Basic, not by
// either form of the token protocol, not by a login. A wrong password is told nothing new.
func TestPasswordAlone(t *testing.T) {
	h := withAlice(t)
	ctx, id := t.Context(), userID(t, h, "alice")
	how := basic("alice", alicesPassword)
	before := h.get(how, url.Values{"offline_token": {"true"}})
	session, _, err := h.Login(ctx, request(t, "POST", "/", "", anonymous), "alice", alicesPassword)
	check(t, err)
	access200 := func(what string, good bool, how call) {
		t.Helper()
		_, err := h.Authenticate(request(t, "GET", "/", "", how))
		if (err == nil) != good {
			t.Errorf("%s: %v", what, err)
		}
	}
	access200("a session of before", true, bearer(session))
	key := totp.NewKey()
	raw, err := totp.ParseKey(key)
	check(t, err)
	app := &authenticator{key: raw}
	recovery, seq, err := h.TurnOnSecondFactor(ctx, by, alice(t, h), key, app.code(t))
	h.done(seq, err)

	access200("a session of before, by the password", false, bearer(session))
	access200("a docker login of before", true, bearer(before.Refresh))
	d := denied(t, func() error { _, err := h.Authenticate(request(t, "GET", "/", "", how)); return err }())
	if d.Status != 401 || !d.CodeNeeded || !strings.Contains(d.Message, "access token") {
		t.Errorf("Basic is answered %+v", d)
	}
	if a := h.get(how, nil); a.status != 401 || len(a.Errors) != 1 || !strings.Contains(a.Errors[0].Message, "access token") {
		t.Errorf("docker login is answered %d %v", a.status, a.Errors)
	}
	if a := h.post(url.Values{"grant_type": {"password"}, "client_id": {"test"}, "username": {"alice"}, "password": {alicesPassword}}); a.status != 401 || a.Token != "" {
		t.Errorf("the password grant is answered %d", a.status)
	}
	_, _, err = h.Login(ctx, request(t, "POST", "/", "", anonymous), "alice", alicesPassword)
	if d := denied(t, err); d.Status != 401 || !d.CodeNeeded {
		t.Errorf("a login is answered %+v", d)
	}
	_, _, err = h.Login(ctx, request(t, "POST", "/", "", anonymous), "alice", "not-her-password")
	if d := denied(t, err); d.CodeNeeded || strings.Contains(d.Message, "factor") {
		t.Errorf("a wrong password is told: %+v", d)
	}
	check(t, h.Verify(ctx, request(t, "POST", "/", "", anonymous), "alice", alicesPassword))
	access200("an access token in its place", true, basic("alice", h.token("alice", events.TokenIssued{Level: events.LevelRead})))

	code := app.code(t)
	access200("the password and a code", true, withCode(code, how))
	access200("the same code again", false, withCode(code, how))
	access200("a wrong code", false, withCode(app.wrong(), how))
	access200("a recovery code", true, withCode(recovery[0], how))
	access200("the same recovery code again", false, withCode(recovery[0], how))
	access200("a code of great length", false, withCode(strings.Repeat("1", 1<<16), how))
	if n, err := h.RecoveryCodes(ctx, alice(t, h)); err != nil || n != 9 {
		t.Errorf("%d recovery codes are left, %v", n, err)
	}

	h.done(h.TurnOffSecondFactor(ctx, by, alice(t, h)))
	access200("the password, after it was turned off", true, how)
	if keys := factors(t, h, id); len(keys) != 0 {
		t.Errorf("%q are still there", keys)
	}
}

// A browser signs in by the password and then a code. What it has in between opens nothing.
func TestSignInWithSecondFactor(t *testing.T) {
	h, app, recovery := withFactor(t)
	ctx := t.Context()
	at := func() *http.Request { return request(t, "POST", "/sign-in", "", anonymous) }
	half, err := h.SignIn(ctx, at(), "alice", alicesPassword, "Firefox")
	if err != nil || !half.Half || time.Until(half.Expires) > 6*time.Minute {
		t.Fatalf("%+v, %v", half, err)
	}
	for what, how := range map[string]call{"bearer": bearer(half.Secret), "password": basic("alice", half.Secret)} {
		if p, err := h.Authenticate(request(t, "GET", "/", "", how)); err == nil {
			t.Errorf("half a sign-in as %s lets %s in", what, p.Name)
		}
	}
	if a := h.get(bearer(half.Secret), nil); a.status != 401 {
		t.Errorf("half a sign-in gets a token: %d", a.status)
	}
	finish := func(secret, code string) (string, error) {
		s, err := h.FinishSignIn(ctx, at(), secret, code, "Firefox")
		if err == nil && s.Half {
			t.Error("it is still half")
		}
		return s.Secret, err
	}
	if _, err := finish(half.Secret, app.wrong()); denied(t, err).Status != 401 || !denied(t, err).CodeNeeded {
		t.Errorf("a wrong code: %v", err)
	}
	session, _, err := h.Login(ctx, withHeader(at(), recovery[4]), "alice", alicesPassword)
	check(t, err)
	for what, secret := range map[string]string{"a session": session, "nothing": "", "a token": h.token("alice", events.TokenIssued{Level: events.LevelAdmin}), "text": "a.b.c"} {
		if _, err := finish(secret, recovery[1]); denied(t, err).Status != 401 || denied(t, err).CodeNeeded {
			t.Errorf("%s is taken for half a sign-in: %v", what, err)
		}
	}
	code := app.code(t)
	secret, err := finish(half.Secret, code)
	check(t, err)
	p, err := h.Authenticate(request(t, "GET", "/", "", bearer(secret)))
	if err != nil || p.Name != "alice" || p.Limit != nil {
		t.Errorf("signed in as %+v, %v", p, err)
	}
	if _, err := finish(half.Secret, code); err == nil {
		t.Error("the code of a session opens another one")
	}
	if _, err := finish(half.Secret, recovery[2]); err != nil {
		t.Errorf("with another code: %v", err)
	}
	// What is changed meanwhile ends it.
	h.done(h.SetPassword(ctx, by, p.ID, "another-password"))
	if _, err := finish(half.Secret, recovery[3]); denied(t, err).CodeNeeded {
		t.Errorf("after the password was changed: %v", err)
	}
	half, err = h.SignIn(ctx, at(), "alice", "another-password", "Firefox")
	check(t, err)
	h.done(disable(ctx, h, p.ID, true))
	if _, err := finish(half.Secret, recovery[3]); err == nil {
		t.Error("a disabled user signs in")
	}
	if _, err := h.SignIn(ctx, at(), "alice", "another-password", "Firefox"); denied(t, err).CodeNeeded {
		t.Errorf("a disabled user is asked for a code: %v", err)
	}
	if n, err := h.RecoveryCodes(ctx, alice(t, h)); err != nil || n != 8 {
		t.Errorf("%d recovery codes are left, %v: refused sign-ins have used some up", n, err)
	}
}

func withHeader(r *http.Request, code string) *http.Request {
	r.Header.Set(apitypes.CodeHeader, code)
	return r
}

// Of many uses of one code at the same moment, one counts: also on other nodes, which share
// nothing but the secrets.
func TestOneUseOfACode(t *testing.T) {
	h, app, recovery := withFactor(t)
	half, err := h.SignIn(t.Context(), request(t, "POST", "/", "", anonymous), "alice", alicesPassword, "Firefox")
	check(t, err)
	for _, code := range []string{app.code(t), recovery[0]} {
		var good atomic.Int32
		var work sync.WaitGroup
		begin := make(chan struct{})
		for range 5 {
			r := request(t, "POST", "/", "", anonymous)
			work.Go(func() {
				<-begin
				if _, err := h.FinishSignIn(t.Context(), r, half.Secret, code, "Firefox"); err == nil {
					good.Add(1)
				}
			})
		}
		close(begin)
		work.Wait()
		if good.Load() != 1 {
			t.Errorf("one code opened %d sessions", good.Load())
		}
	}
}

// Who has the password and guesses codes, from ever new addresses, soon waits; a recovery
// code and what is signed in are as good as before.
func TestGuessingCodes(t *testing.T) {
	h, app, recovery := withFactor(t)
	session, _, err := h.Login(t.Context(), withHeader(request(t, "POST", "/", "", anonymous), recovery[1]), "alice", alicesPassword)
	check(t, err)
	token := h.token("alice", events.TokenIssued{Level: events.LevelRead})
	half, err := h.SignIn(t.Context(), request(t, "POST", "/", "", anonymous), "alice", alicesPassword, "Firefox")
	check(t, err)
	looked := 0
	for range 40 {
		_, err := h.FinishSignIn(t.Context(), request(t, "POST", "/", "", anonymous), half.Secret, app.wrong(), "Firefox")
		if denied(t, err).Status == 401 {
			looked++
		} else if d := denied(t, err); d.Status != 429 || d.RetryAfter < time.Second {
			t.Fatalf("%+v", d)
		}
	}
	if looked > 5 {
		t.Errorf("%d guesses were looked at", looked)
	}
	if _, err := h.FinishSignIn(t.Context(), request(t, "POST", "/", "", anonymous), half.Secret, app.code(t), "Firefox"); denied(t, err).Status != 429 {
		t.Errorf("the right code does not wait: %v", err)
	}
	for what, how := range map[string]call{"session": bearer(session), "token": bearer(token), "recovery code": withCode(recovery[0], basic("alice", alicesPassword))} {
		if _, err := h.Authenticate(request(t, "GET", "/", "", how)); err != nil {
			t.Errorf("a %s is refused: %v", what, err)
		}
	}
}

func TestTurningASecondFactorOn(t *testing.T) {
	h := withAlice(t)
	ctx, id := t.Context(), userID(t, h, "alice")
	key := totp.NewKey()
	raw, err := totp.ParseKey(key)
	check(t, err)
	app := &authenticator{key: raw}
	for want, ask := range map[error][2]string{totp.ErrCode: {key, app.wrong()}, totp.ErrKey: {"short", app.wrong()}} {
		if _, _, err := h.TurnOnSecondFactor(ctx, by, alice(t, h), ask[0], ask[1]); !errors.Is(err, want) {
			t.Errorf("%q: %v", ask, err)
		}
	}
	if keys := factors(t, h, id); len(keys) != 0 {
		t.Fatalf("%q are left", keys)
	}
	// Of two at the same moment, one at most is told that it is on.
	var mu sync.Mutex
	var work sync.WaitGroup
	codes := map[string][]string{}
	begin := make(chan struct{})
	for range 4 {
		key := totp.NewKey()
		raw, err := totp.ParseKey(key)
		check(t, err)
		code := totp.Code(raw, totp.Step(time.Now()))
		user := alice(t, h)
		work.Go(func() {
			<-begin
			if recovery, _, err := h.TurnOnSecondFactor(ctx, by, user, key, code); err == nil {
				mu.Lock()
				codes[key] = recovery
				mu.Unlock()
			} else if !errors.Is(err, account.ErrSecondFactor) {
				t.Errorf("refused by %v", err)
			}
		})
	}
	close(begin)
	work.Wait()
	last, err := h.log.LastSeq(ctx)
	check(t, err)
	check(t, h.view.Wait(ctx, last))
	if kept := factors(t, h, id); len(codes) != 1 || len(kept) != 1 {
		t.Fatalf("%d authenticators were set up, %q are kept", len(codes), kept)
	}
	for _, recovery := range codes {
		if _, err := h.Authenticate(request(t, "GET", "/", "", withCode(recovery[9], basic("alice", alicesPassword)))); err != nil {
			t.Errorf("the one that was set up is refused: %v", err)
		}
	}
	if _, _, err := h.TurnOnSecondFactor(ctx, by, alice(t, h), key, app.code(t)); !errors.Is(err, account.ErrSecondFactor) {
		t.Errorf("over another one: %v", err)
	}
	h.done(h.TurnOffSecondFactor(ctx, by, alice(t, h)))
	_, seq, err := h.TurnOnSecondFactor(ctx, by, alice(t, h), key, totp.Code(raw, totp.Step(time.Now())))
	h.done(seq, err)
	h.done(account.SetStanding(ctx, h.log, by, anyAdmin{}, h.user("root", ""), true, false))
	h.done(h.Erase(ctx, by, id))
	if keys, err := h.secrets.Keys(ctx, "user."+id+"."); err != nil || len(keys) != 0 {
		t.Errorf("%q are left of an erased user, %v", keys, err)
	}
	if _, _, err := h.TurnOnSecondFactor(ctx, by, alice(t, h), key, totp.Code(raw, totp.Step(time.Now()))); !errors.Is(err, accounts.ErrNotFound) {
		t.Errorf("for an erased user: %v", err)
	}
}
