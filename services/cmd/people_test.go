package cmd

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
)

// A person sends requests to a hub with a login name and a password or an access
// token. The zero person is anonymous.
type person struct {
	name, secret string
}

// admin is the first administrator of every test hub.
var admin = person{"admin", adminPassword}

func (p person) header() http.Header {
	h := http.Header{"Content-Type": {"application/json"}, "Authorization": nil}
	if p.name != "" {
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(p.name+":"+p.secret)))
	}
	return h
}

// ask sends a request, with a body encoded as JSON unless it is nil. header are
// names and values of additional headers. On a slow machine a node can be behind
// the log: then ask retries, as the answer says.
func (p person) ask(t testing.TB, h *hubProcess, method, path string, body any, header ...string) (r reply) {
	t.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	all := p.header()
	for i := 0; i < len(header); i += 2 {
		all.Set(header[i], header[i+1])
	}
	until(t, "an answer to "+method+" "+path, func() bool {
		r = ask(t, method, h.URL+path, bytes.NewReader(text), all)
		return r.status != http.StatusServiceUnavailable
	})
	return r
}

// does is ask for a request that must succeed.
func (p person) does(t testing.TB, h *hubProcess, method, path string, body any, header ...string) reply {
	t.Helper()
	r := p.ask(t, h, method, path, body, header...)
	if r.status >= 300 {
		t.Fatalf("%s %s as %q: %d %s", method, path, p.name, r.status, r.body)
	}
	return r
}

// object is a JSON object.
type object = map[string]any

// newUser creates a user with a password.
func newUser(t testing.TB, h *hubProcess, name string) person {
	t.Helper()
	p := person{name, "password of " + name}
	admin.does(t, h, "POST", "/api/v1/users", object{"name": name, "password": p.secret})
	return p
}

// newToken issues an access token under /users/NAME or /orgs/NAME/robots/NAME. It
// returns the person who logs in with it, and the id of the token.
func (p person) newToken(t testing.TB, h *hubProcess, owner, login string, spec object) (_ person, id string) {
	t.Helper()
	made := decode[struct{ ID, Token string }](t, string(p.does(t, h, "POST", "/api/v1"+owner+"/tokens", spec).body))
	if made.Token == "" {
		t.Fatalf("no token for %s", login)
	}
	return person{login, made.Token}, made.ID
}

// token is newToken of a user for themselves.
func (p person) token(t testing.TB, h *hubProcess, level string) (_ person, id string) {
	t.Helper()
	return p.newToken(t, h, "/users/"+p.name, p.name, object{"name": "test", "level": level})
}

// login logs a client in, whose state is separate from that of other tests.
func (p person) login(t testing.TB, h *hubProcess, d tool) {
	t.Helper()
	contains(t, "docker login", d.run(t, "login", "-u", p.name, "-p", p.secret, h.Addr), "Login Succeeded")
}

// dockerOf is docker with a login.
func dockerOf(t testing.TB, h *hubProcess, p person) tool {
	t.Helper()
	d := docker(t)
	p.login(t, h, d)
	return d
}

// visibility is the visibility of a repository, as the hub reports it.
func visibility(t testing.TB, h *hubProcess, repo string) string {
	t.Helper()
	return decode[struct{ Visibility string }](t, string(admin.does(t, h, "GET", "/api/v1/repositories/"+repo, nil).body)).Visibility
}

// publish makes a repository public.
func publish(t testing.TB, h *hubProcess, repo string) {
	t.Helper()
	admin.does(t, h, "PATCH", "/api/v1/repositories/"+repo, object{"visibility": "public"})
}

// asURL is a hub's URL with a login in it.
func asURL(h *hubProcess, p person) string {
	return "http://" + url.UserPassword(p.name, p.secret).String() + "@" + h.Addr
}
