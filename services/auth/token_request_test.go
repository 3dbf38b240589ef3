package auth_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"hubledger/events"
	"hubledger/services/internal/account"
)

const alicesPassword = "alices-long-password"

func base64Decode(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }

func base64Encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// withAlice is a hub with a user and repositories.
func withAlice(t testing.TB) *hub {
	h := start(t)
	h.user("alice", alicesPassword)
	h.user("bob", "")
	h.repository("alice/app", events.Private)
	h.repository("alice/open", events.Public)
	h.repository("bob/app", events.Private)
	h.repository("busybox", events.Public)
	return h
}

func TestGrantsTheIntersection(t *testing.T) {
	h := withAlice(t)
	reads := h.token("alice", events.TokenIssued{Level: events.LevelRead})
	writes := h.token("alice", events.TokenIssued{Level: events.LevelWrite, Repositories: []string{"alice/app"}})
	alice := basic("alice", alicesPassword)
	for _, c := range []struct {
		name   string
		how    call
		scopes []string
		want   string
	}{
		{"own", alice, []string{"repository:alice/app:pull,push"}, "repository:alice/app:pull,push"},
		{"own, all", alice, []string{"repository:alice/app:*"}, "repository:alice/app:pull,push,delete,*"},
		{"own, only push", alice, []string{"repository:alice/app:push"}, "repository:alice/app:push"},
		{"new in the own namespace", alice, []string{"repository:alice/new/deep:pull,push"}, "repository:alice/new/deep:pull,push"},
		{"another's", alice, []string{"repository:bob/app:pull,push"}, ""},
		{"missing", alice, []string{"repository:bob/missing:pull"}, ""},
		{"top level", alice, []string{"repository:busybox:pull,push"}, "repository:busybox:pull"},
		{"top level by its other name", alice, []string{"repository:library/busybox:pull"}, "repository:library/busybox:pull"},
		{"mount", alice, []string{"repository:alice/app:pull,push", "repository:busybox:pull", "repository:bob/app:pull"}, "repository:alice/app:pull,push repository:busybox:pull"},
		{"in one text", alice, []string{"repository:alice/app:pull repository:alice/open:pull"}, "repository:alice/app:pull repository:alice/open:pull"},
		{"twice", alice, []string{"repository:alice/app:pull", "repository:alice/app:push,pull"}, "repository:alice/app:pull,push"},
		{"plugin", alice, []string{"repository(plugin):alice/app:pull"}, "repository(plugin):alice/app:pull"},
		{"catalog", alice, []string{"registry:catalog:*"}, "registry:catalog:*"},
		{"search", alice, []string{"registry:catalog:search"}, "registry:catalog:search"},
		{"unknown ones", alice, []string{"registry:other:*", "widget:x:pull", "repository:alice/app:fly,pull", "repository:host:5000/x:pull", "repository:UPPER:pull"}, "repository:alice/app:pull"},
		{"nothing", alice, nil, ""},
		{"nobody, public", anonymous, []string{"repository:alice/open:pull,push,delete"}, "repository:alice/open:pull"},
		{"nobody, private", anonymous, []string{"repository:alice/app:pull"}, ""},
		{"nobody, missing", anonymous, []string{"repository:alice/missing:pull"}, ""},
		{"nobody, catalog", anonymous, []string{"registry:catalog:*"}, "registry:catalog:*"},
		{"empty Basic", basic("", ""), []string{"repository:busybox:pull"}, "repository:busybox:pull"},
		{"token that reads", basic("alice", reads), []string{"repository:alice/app:pull,push,delete"}, "repository:alice/app:pull"},
		{"token that writes there", basic("alice", writes), []string{"repository:alice/app:*"}, "repository:alice/app:pull,push"},
		{"token that writes elsewhere", basic("alice", writes), []string{"repository:alice/open:push"}, ""},
		{"token as a bearer", bearer(reads), []string{"repository:alice/app:pull"}, "repository:alice/app:pull"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.get(c.how, url.Values{"service": {"hubledger"}, "scope": c.scopes})
			if a.status != http.StatusOK || a.Token == "" || a.Token != a.Access || a.Expires != 300 || a.Refresh != "" {
				t.Fatalf("%+v", a)
			}
			if got := granted(t, a.Token); got != c.want {
				t.Errorf("granted %q, not %q", got, c.want)
			}
			if at, err := time.Parse(time.RFC3339, a.Issued); err != nil || time.Since(at) > time.Minute {
				t.Errorf("issued at %s, %v", a.Issued, err)
			}
			p := payload(t, a.Token)
			if p.Iss != "https://hub.test:5050" || p.Exp-p.Iat != 300 || p.Nbf > time.Now().Unix() || p.Jti == "" || strings.Contains(c.name, "nobody") != (p.Sub == "") && c.name != "empty Basic" {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestTokenRequestsThatAreRefused(t *testing.T) {
	h := withAlice(t)
	robot := func() string {
		ctx := t.Context()
		owner, err := h.read.Account(ctx, "bob")
		check(t, err)
		org := h.made(account.CreateOrganization(ctx, h.log, by, "acme", owner.ID))
		h.made(account.CreateRobot(ctx, h.log, by, org, "ci", ""))
		return h.token("acme+ci", events.TokenIssued{Level: events.LevelWrite})
	}()
	token := h.token("alice", events.TokenIssued{Level: events.LevelAdmin})
	form := func(pairs ...string) url.Values {
		v := url.Values{"client_id": {"test"}, "service": {"hubledger"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	long := url.Values{}
	for range 101 {
		long.Add("scope", "repository:a/b:pull")
	}
	for name, c := range map[string]struct {
		a      answer
		status int
		code   string
		oauth  string
	}{
		"wrong password":        {h.get(basic("alice", "wrong-password"), nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"no such user":          {h.get(basic("nobody", alicesPassword), nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"no password set":       {h.get(basic("bob", ""), nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"no name":               {h.get(basic("", token), nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"another's token":       {h.get(basic("bob", token), nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"robot's by short name": {h.get(basic("ci", robot), nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"robot by password":     {h.get(basic("acme+ci", alicesPassword), nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"made-up token":         {h.get(basic("alice", "hlt_"+strings.Repeat("A", 43)), nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"no text":               {h.get(basic("a\x00\xff", "\x00\xff"), nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"long name and secret":  {h.get(basic(strings.Repeat("a", 10_000), strings.Repeat("b", 10_000)), nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"no known scheme":       {h.get(func(r *http.Request) { r.Header.Set("Authorization", "Digest x") }, nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"broken Basic":          {h.get(func(r *http.Request) { r.Header.Set("Authorization", "Basic !") }, nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"own token again":       {h.get(bearer(h.get(basic("alice", alicesPassword), nil).Token), nil), 401, "UNAUTHORIZED", "invalid_grant"},
		"too many scopes":       {h.get(anonymous, long), 400, "UNSUPPORTED", "invalid_scope"},
		"long scope":            {h.get(anonymous, url.Values{"scope": {"repository:" + strings.Repeat("a", 600) + ":pull"}}), 400, "UNSUPPORTED", "invalid_scope"},
		"scope without colon":   {h.get(anonymous, url.Values{"scope": {"pull"}}), 400, "UNSUPPORTED", "invalid_scope"},
		"no grant type":         {h.post(form()), 400, "UNSUPPORTED", "unsupported_grant_type"},
		"no client":             {h.post(url.Values{"grant_type": {"password"}}), 400, "UNSUPPORTED", "invalid_request"},
		"grant, wrong password": {h.post(form("grant_type", "password", "username", "alice", "password", "wrong-password")), 401, "UNAUTHORIZED", "invalid_grant"},
		"grant, no name":        {h.post(form("grant_type", "password", "password", token)), 401, "UNAUTHORIZED", "invalid_grant"},
		"made-up refresh":       {h.post(form("grant_type", "refresh_token", "refresh_token", "x")), 401, "UNAUTHORIZED", "invalid_grant"},
		"large body":            {h.post(form("grant_type", "password", "password", strings.Repeat("x", 70<<10))), 400, "UNSUPPORTED", "invalid_request"},
		"other content type": {serve(t, h, request(t, "POST", "/token", "{}", func(r *http.Request) { r.Header.Set("Content-Type", "application/json") })),
			400, "UNSUPPORTED", "invalid_request"},
	} {
		if c.a.status != c.status || len(c.a.Errors) != 1 || c.a.Errors[0].Code != c.code || c.a.Error != c.oauth || c.a.Token != "" {
			t.Errorf("%s: %+v", name, c.a)
		}
	}
	if a := h.get(basic("acme+ci", robot), url.Values{"scope": {"repository:acme/x:pull,push"}}); a.status != 200 || granted(t, a.Token) != "" {
		t.Errorf("a robot account without grants: %+v", a)
	}
	if a := serve(t, h, request(t, "DELETE", "/token", "", anonymous)); a.status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", a.status)
	}
}

// What docker login stores in the password's place ends with the password.
func TestRefreshTokens(t *testing.T) {
	h := withAlice(t)
	before, err := h.log.LastSeq(t.Context())
	check(t, err)
	login := h.get(basic("alice", alicesPassword), url.Values{"offline_token": {"true"}, "client_id": {"docker"}, "account": {"alice"}})
	if login.status != 200 || !strings.HasPrefix(login.Refresh, "hlt_") {
		t.Fatalf("%+v", login)
	}
	if after, err := h.log.LastSeq(t.Context()); err != nil || after != before+1 {
		t.Errorf("a login made %d events, %v", after-before, err)
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {login.Refresh}, "client_id": {"docker"}, "service": {"hubledger"},
		"scope": {"repository:alice/app:pull,push registry:catalog:search"}}
	a := h.post(refresh)
	if a.status != 200 || granted(t, a.Token) != "repository:alice/app:pull,push registry:catalog:search" || a.Scope != granted(t, a.Token) || a.Refresh != "" {
		t.Fatalf("%+v", a)
	}
	refresh.Set("access_type", "offline")
	if a := h.post(refresh); a.Refresh != login.Refresh {
		t.Errorf("%+v", a)
	}
	posted := h.post(url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {alicesPassword}, "access_type": {"offline"}, "client_id": {"containerd"}})
	if posted.status != 200 || posted.Refresh == "" || posted.Refresh == login.Refresh {
		t.Fatalf("%+v", posted)
	}
	token := h.token("alice", events.TokenIssued{Level: events.LevelRead})
	if a := h.get(basic("alice", token), url.Values{"offline_token": {"true"}}); a.Refresh != token {
		t.Errorf("a login by access token stores %q", a.Refresh)
	}
	session, _, err := h.Login(t.Context(), request(t, "POST", "/", "", anonymous), "alice", alicesPassword)
	check(t, err)
	for name, how := range map[string]call{"an access token": bearer(token), "a session": bearer(session)} {
		if a := h.get(how, url.Values{"offline_token": {"true"}}); a.status != 200 || a.Refresh != "" {
			t.Errorf("%s became a login: %+v", name, a)
		}
	}
	alice, err := h.read.Account(t.Context(), "alice")
	check(t, err)
	h.done(h.SetPassword(t.Context(), by, alice.ID, "another-long-password"))
	if a := h.post(refresh); a.status != 401 {
		t.Errorf("after the password has changed: %+v", a)
	}
	if _, err := h.Authenticate(request(t, "GET", "/", "", bearer(login.Token))); err == nil {
		t.Error("a token for the old password is still good")
	}
	if a := h.get(basic("alice", token), nil); a.status != 200 {
		t.Errorf("an access token does not end with the password: %+v", a)
	}
	if a := h.get(basic("alice", alicesPassword), nil); a.status != 401 {
		t.Errorf("the old password: %+v", a)
	}
	if a := h.get(basic("alice", "another-long-password"), nil); a.status != 200 {
		t.Errorf("the new password: %+v", a)
	}
}

// Anybody can verify our tokens by the published keys, and nothing else passes
// for one.
func TestSignatures(t *testing.T) {
	h := withAlice(t)
	token := h.get(basic("alice", alicesPassword), nil).Token
	w := serveRaw(t, h, request(t, "GET", "/.well-known/jwks.json", "", anonymous))
	var set jose.JSONWebKeySet
	check(t, json.Unmarshal(w.Body.Bytes(), &set))
	if len(set.Keys) != 1 || !strings.Contains(w.Header().Get("Cache-Control"), "max-age") || !set.Keys[0].IsPublic() {
		t.Fatalf("%s %v", w.Body, w.Header())
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.EdDSA})
	check(t, err)
	var c jwt.Claims
	check(t, parsed.Claims(set.Key(parsed.Headers[0].KeyID)[0], &c))
	if c.Subject != "alice" || !c.Audience.Contains("hubledger") {
		t.Errorf("%+v", c)
	}
	if p, err := h.Authenticate(request(t, "GET", "/", "", bearer(token))); err != nil || p.Name != "alice" {
		t.Fatalf("%+v, %v", p, err)
	}
	_, foreign, err := ed25519.GenerateKey(nil)
	check(t, err)
	forge := func(kid string, key ed25519.PrivateKey) string {
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
		check(t, err)
		text, err := jwt.Signed(s).Claims(c).Serialize()
		check(t, err)
		return text
	}
	parts := strings.Split(token, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"1"}`))
	for name, text := range map[string]string{
		"another key":   forge("1", foreign),
		"unknown key":   forge("99", foreign),
		"no algorithm":  none + "." + parts[1] + ".",
		"cut":           token[:len(token)-4],
		"other payload": parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"admin"}`)) + "." + parts[2],
		"rubbish":       "x",
		"nothing":       "",
		"very long":     strings.Repeat("x.", 40_000),
	} {
		if p, err := h.Authenticate(request(t, "GET", "/", "", bearer(text))); err == nil || p.Name != "anonymous" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}
