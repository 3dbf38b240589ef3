package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hubledger/services/cmd/console"
	"hubledger/streams"
	"hubledger/streams/streamtest"
)

// Secrets are readable nowhere: neither in a file of the data directory, nor in
// the hub's log, nor in what its commands print.
func TestSecretsStandNowhere(t *testing.T) {
	h := startHub(t, "--log-level", "debug", "--trusted-proxies", "loopback")
	alice := person{"alice", "planted password " + unique()}
	email := "planted." + unique() + "@example.com"
	admin.does(t, h, "POST", "/api/v1/users", object{"name": "alice", "password": alice.secret, "email": email},
		"Idempotency-Key", "a key for alice's account")
	made := decode[struct{ Password string }](t, string(admin.does(t, h, "POST", "/api/v1/users", object{"name": "bob"},
		"Idempotency-Key", "a key for bob's account").body))
	organizations(t, h, "acme")
	admin.does(t, h, "POST", "/api/v1/orgs/acme/robots", object{"name": "ci"})
	planted := map[string]string{"password": alice.secret, "administrator's password": adminPassword, "e-mail address": email, "password that was made": made.Password}

	// Tokens of all kinds.
	spec := object{"name": "planted", "level": "admin"}
	key := []string{"Idempotency-Key", "a key for an access token"}
	first := alice.does(t, h, "POST", "/api/v1/users/alice/tokens", spec, key...)
	again := alice.does(t, h, "POST", "/api/v1/users/alice/tokens", spec, key...)
	same(t, "answer to the repeated request", string(again.body), string(first.body))
	planted["access token"] = decode[struct{ Token string }](t, string(first.body)).Token
	robot, _ := admin.newToken(t, h, "/orgs/acme/robots/ci", "acme+ci", spec)
	planted["robot account's token"] = robot.secret
	query := url.Values{"service": {"hubledger"}, "offline_token": {"true"}, "client_id": {"docker"}, "account": {"alice"}, "scope": {"repository:alice/app:pull,push"}}
	login := decode[struct{ Token, RefreshToken string }](t, strings.ReplaceAll(string(alice.does(t, h, "GET", "/token?"+query.Encode(), nil).body), "refresh_token", "refreshToken"))
	planted["registry token"], planted["identity token"] = login.Token, login.RefreshToken
	planted["session"] = decode[struct{ Token string }](t, string(person{}.does(t, h, "POST", "/v2/users/login", object{"username": "alice", "password": alice.secret}).body)).Token

	// Every secret, and some that never were valid, by every way of logging in.
	planted["wrong password"] = "mistyped password " + unique()
	planted["password in the place of the name"] = "password-as-name-" + unique()
	planted["new password"] = "second password " + unique()
	for what, secret := range planted {
		if secret == "" {
			t.Fatalf("there is no %s", what)
		}
		useEverywhere(t, h, person{"alice", secret})
	}
	for _, what := range []string{"password", "access token", "password in the place of the name"} {
		useEverywhere(t, h, person{planted[what], "some password"})
	}
	admin.does(t, h, "PUT", "/api/v1/users/alice/password", object{"new": planted["new password"]})
	alice.secret = planted["new password"]
	until(t, "alice's next attempt, which so many failed ones hold back for a second", func() bool {
		return alice.ask(t, h, "GET", "/api/v1/user", nil).status != http.StatusTooManyRequests
	})
	alice.does(t, h, "PUT", "/api/v1/users/alice/email", object{"email": "x" + email})

	controls := plantControls(t, h)
	look := func(when string) {
		t.Helper()
		places := lookEverywhere(t, h)
		for what, secret := range planted {
			for place, content := range places {
				if form := findForm(content, secret); form != "" {
					t.Errorf("%s: %s has the %s, %s", when, place, what, form)
				}
			}
		}
		// Control: the same search finds texts that are not secret, in every form.
		for form, text := range controls {
			if !slices.ContainsFunc(slices.Collect(maps.Values(places)), func(content []byte) bool { return findForm(content, text) == form }) {
				t.Errorf("%s: the search is blind: nothing has the control text %s", when, form)
			}
		}
	}
	look("while the hub runs")
	h.Stop()
	look("after its end")
	h.Start()
	look("after a restart")
	if events, _, _ := h.Run("--json", "events", "ls", "--after", "0", "--limit", "10000"); !strings.Contains(events, "logins.refused") {
		t.Error("nothing was refused")
	}
}

// Without a password from its operator, a hub generates the first password, and
// only the password file has it.
func TestMadePasswordStandsInItsFileOnly(t *testing.T) {
	h := &hubProcess{Data: filepath.Join(t.TempDir(), "data"), Addr: freeAddr(t), t: t, args: []string{"--log-level", "debug"}, log: &logBuffer{}}
	h.noPassword = true
	t.Cleanup(h.Kill)
	h.Start()
	const file = "admin-password"
	path := filepath.Join(h.Data, file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%s: %v, %v", file, info.Mode(), err)
	}
	made := person{"admin", strings.TrimSpace(string(text))}
	session := decode[struct{ Token string }](t, string(person{}.does(t, h, "POST", "/v2/users/login", object{"username": made.name, "password": made.secret}).body)).Token
	for place, content := range lookEverywhere(t, h) {
		if form := findForm(content, made.secret); (form != "") != (place == file) {
			t.Errorf("the password in %s: %q", place, form)
		}
		if form := findForm(content, session); form != "" {
			t.Errorf("a session in %s, %s", place, form)
		}
	}
	made.does(t, h, "PUT", "/api/v1/users/admin/password", object{"old": made.secret, "new": "a password of one's own"})
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is there after the password was changed: %v", err)
	}
}

// useEverywhere tries a name and a secret by every way of logging in, each time
// from another address, because an address that fails often has to wait.
func useEverywhere(t *testing.T, h *hubProcess, p person) {
	t.Helper()
	ask := func(as person, method, path string, body any, header ...string) {
		t.Helper()
		from := fmt.Sprintf("10.%d.%d.%d", rand.IntN(256), rand.IntN(256), rand.IntN(256))
		if r := as.ask(t, h, method, path, body, append(header, "X-Forwarded-For", from)...); r.status == http.StatusTooManyRequests {
			t.Errorf("%s %s was not looked at: %s", method, path, r.body)
		}
	}
	for _, path := range []string{"/v2/", "/token?service=hubledger&offline_token=true&client_id=docker&account=" + url.QueryEscape(p.name), "/api/v1/user"} {
		ask(p, "GET", path, nil)
		for _, scheme := range []string{"Bearer ", "JWT ", "Basic ", "Digest ", ""} {
			ask(person{}, "GET", path, nil, "Authorization", scheme+p.secret)
		}
	}
	ask(p, "POST", "/api/v1/users/alice/tokens", object{"name": "x", "level": "none"}, "Idempotency-Key", "another key for a token "+unique())
	ask(person{}, "POST", "/v2/users/login", object{"username": p.name, "password": p.secret})
	ask(person{}, "POST", "/v2/auth/token", object{"identifier": p.name, "secret": p.secret})
	for _, form := range []url.Values{
		{"grant_type": {"password"}, "username": {p.name}, "password": {p.secret}, "access_type": {"offline"}, "client_id": {"test"}},
		{"grant_type": {"refresh_token"}, "refresh_token": {p.secret}, "client_id": {"test"}},
	} {
		r, err := http.PostForm(h.URL+"/token", form)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
	}
}

// lookEverywhere returns everything that the hub stores and prints, by place.
func lookEverywhere(t *testing.T, h *hubProcess) map[string][]byte {
	t.Helper()
	places := map[string][]byte{"the hub's log": []byte(h.Log())}
	kinds := map[string]bool{}
	err := filepath.WalkDir(h.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a temporary file that is gone again
		}
		rel, _ := filepath.Rel(h.Data, path)
		places[rel] = content
		kinds[filepath.Ext(path)], kinds[filepath.Base(path)] = true, true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{".blk", "operations.db", "secrets.key"} {
		if !kinds[kind] {
			t.Fatalf("the data directory has no %s: %v", kind, kinds)
		}
	}
	if h.running() {
		if !kinds[".db-wal"] {
			t.Fatalf("the data directory of a hub that runs has no -wal file: %v", kinds)
		}
		events, stderr, code := h.Run("--json", "events", "ls", "--after", "0", "--limit", "10000")
		if code != console.ExitOK {
			t.Fatalf("events ls: exit %d, %s", code, stderr)
		}
		places["events ls"] = []byte(events)
		places["/metrics"] = get(t, h.URL+"/metrics", http.StatusOK).body
	}
	return places
}

// Erasing a person destroys what was stored apart from the log, and leaves the log
// as it is.
func TestErasedPersonIsGone(t *testing.T) {
	h := startHub(t, "--log-level", "debug")
	alice := newUser(t, h, "alice")
	alice.does(t, h, "PUT", "/api/v1/users/alice/email", object{"email": "alice@example.com"})
	byToken, _ := alice.token(t, h, "admin")
	session := decode[struct{ Token string }](t, string(person{}.does(t, h, "POST", "/v2/users/login", object{"username": "alice", "password": alice.secret}).body)).Token
	registry := decode[struct{ Token string }](t, string(alice.does(t, h, "GET", "/token?service=hubledger", nil).body)).Token
	id := decode[struct{ ID string }](t, string(alice.does(t, h, "GET", "/api/v1/users/alice", nil).body)).ID
	same(t, "refusal of a wrong password", alice.ask(t, h, "POST", "/api/v1/users/alice/erasure", object{"confirm": "alice", "password": "wrong password"}).status, http.StatusForbidden)
	h.Stop()
	if keys := secretsOf(t, h, "user."+id+"."); len(keys) != 2 {
		t.Fatalf("secrets of a user with an e-mail address: %q", keys)
	}
	h.Start()
	alice.does(t, h, "POST", "/api/v1/users/alice/erasure", object{"confirm": "alice", "password": alice.secret})

	refused := func() {
		t.Helper()
		same(t, "password", alice.ask(t, h, "GET", "/v2/", nil).status, http.StatusUnauthorized)
		same(t, "access token", byToken.ask(t, h, "GET", "/v2/", nil).status, http.StatusUnauthorized)
		same(t, "session", person{}.ask(t, h, "GET", "/api/v1/user", nil, "Authorization", "Bearer "+session).status, http.StatusUnauthorized)
		same(t, "registry token", person{}.ask(t, h, "GET", "/v2/", nil, "Authorization", "Bearer "+registry).status, http.StatusUnauthorized)
		same(t, "login", person{}.ask(t, h, "POST", "/v2/users/login", object{"username": "alice", "password": alice.secret}).status, http.StatusUnauthorized)
		for what, r := range map[string]reply{
			"user":         admin.ask(t, h, "POST", "/api/v1/users", object{"name": "alice", "password": "yet another password"}),
			"organization": admin.ask(t, h, "POST", "/api/v1/orgs", object{"name": "alice"}),
		} {
			if r.status != http.StatusConflict {
				t.Errorf("the name is given to a new %s: %d %s", what, r.status, r.body)
			}
		}
	}
	refused()
	before, _, _ := h.Run("--json", "events", "ls", "--after", "0", "--limit", "10000")
	h.Stop()
	if keys := secretsOf(t, h, "user."+id+"."); len(keys) != 0 {
		t.Fatalf("secrets of an erased user: %q", keys)
	}
	h.Start()
	// The guard compares every leaf of the log with the journal's.
	until(t, "the comparison of the whole log", func() bool { return wholeLog.MatchString(h.Log()) })
	if resp, err := http.Get(h.URL + "/readyz"); err != nil || resp.StatusCode != http.StatusOK || h.ReadOnly {
		t.Fatalf("the hub does not trust its log: %v, %v", resp, err)
	}
	after, _, _ := h.Run("--json", "events", "ls", "--after", "0", "--limit", "10000")
	same(t, "events after the restart", strings.Contains(after, before), true)
	contains(t, "events", after, "user.erased")
	refused()
}

// secretsOf are the keys of secrets in the data directory of a hub that was stopped.
func secretsOf(t *testing.T, h *hubProcess, prefix string) []string {
	t.Helper()
	log := streamtest.OpenConfig(t, streams.Config{Dir: h.Data})
	defer log.Close(context.Background())
	secrets, err := streams.OpenSecrets(t.Context(), log, filepath.Join(h.Data, "secrets.key"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secrets.Keys(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
