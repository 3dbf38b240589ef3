package web_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hubledger/services/server"
	"hubledger/services/server/servertest"
	"hubledger/services/web/webtest"
)

func TestSignIn(t *testing.T) {
	hub := servertest.Start(t, server.Config{})
	b := webtest.NewBrowser(t, hub)
	b.Get("/sign-out").Leads("/sign-in?next=%2Fsign-out")
	b.Post("/sign-in", "do", "sign-in", "name", servertest.Admin, "password", "wrong", "next", "/keys").Is(http.StatusForbidden).
		Says("no such name with that password").Lacks(`value="wrong"`)
	b.Post("/sign-in", "do", "sign-in", "name", servertest.Admin, "password", servertest.Password, "next", "/keys").Leads("/keys")
	if a := b.Get("/"); !strings.Contains(a.Text, ">"+servertest.Admin+"</a>") {
		t.Errorf("the first page does not show who is signed in: %s", a.Text)
	}
	b.Post("/sign-out", "do", "sign-out").Leads("/")
	b.Get("/").Lacks(">" + servertest.Admin + "</a>")
	b.Post("/sign-in", "do", "sign-in", "name", servertest.Admin, "password", hub.Token(servertest.Admin, "admin")).Is(http.StatusForbidden)
}

// What a session was signed out of stays refused, also when the browser keeps the cookie.
func TestSignOutEndsTheSession(t *testing.T) {
	hub := servertest.Start(t, server.Config{})
	b := webtest.As(t, hub, servertest.Admin, servertest.Password)
	at, err := url.Parse(hub.URL)
	if err != nil {
		t.Fatal(err)
	}
	kept := b.HTTP.Jar.Cookies(at)
	if len(kept) != 1 {
		t.Fatalf("cookies %v", kept)
	}
	b.Post("/sign-out", "do", "sign-out").Leads("/")
	b.HTTP.Jar.SetCookies(at, kept)
	b.Get("/sign-out").Leads("/sign-in")
}

// A session ends with the password that opened it, and opens the API for reading only.
func TestSessionIsOfThePassword(t *testing.T) {
	town := webtest.NewTown(t)
	town.Alice.Get("/api/v1/user").Is(http.StatusOK)
	town.Alice.Post("/api/v1/orgs", "name", "acme").Is(http.StatusUnauthorized)
	town.Call(http.MethodPut, "/users/alice/password", map[string]any{"new": "another password of alice"})
	town.Alice.Get("/api/v1/user").Is(http.StatusUnauthorized)
	town.Alice.Get("/sign-out").Leads("/sign-in")
}

// A sign-in leads to addresses of the hub only.
func TestSignInLeadsNowhereElse(t *testing.T) {
	hub := servertest.Start(t, server.Config{})
	for _, next := range []string{"https://elsewhere.example/", "//elsewhere.example/", `/\elsewhere.example/`, `\\elsewhere.example`, "javascript:alert(1)", ""} {
		a := webtest.NewBrowser(t, hub).Post("/sign-in", "do", "sign-in", "name", servertest.Admin, "password", servertest.Password, "next", next)
		if a.Status != http.StatusSeeOther || a.Location != "/" {
			t.Errorf("next=%q: %d to %s", next, a.Status, a.Location)
		}
	}
}

// Forms of other sites are refused, and so are bodies that are no forms.
func TestFormsOfOthers(t *testing.T) {
	hub := servertest.Start(t, server.Config{})
	for what, change := range map[string]func(*http.Request){
		"of another site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"that is JSON":    func(r *http.Request) { r.Header.Set("Content-Type", "application/json") },
	} {
		r, err := http.NewRequest("POST", hub.URL+"/sign-in", strings.NewReader(url.Values{"do": {"sign-in"}, "name": {servertest.Admin}, "password": {servertest.Password}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		change(r)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode < 400 || resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("a form %s: %d %s", what, resp.StatusCode, resp.Header.Get("Set-Cookie"))
		}
	}
}

// The audit log follows what its own filter finds, whatever characters that has.
func TestLiveFilterIsThatOfThePage(t *testing.T) {
	hub := servertest.Start(t, server.Config{})
	a := webtest.As(t, hub, servertest.Admin, servertest.Password).Get("/events?" + url.Values{"q": {"actor:acme+ci -type:hub."}}.Encode()).Is(http.StatusOK)
	_, live, _ := strings.Cut(a.Text, `data-live="`)
	live, _, _ = strings.Cut(live, `"`)
	at, err := url.Parse(html.UnescapeString(live))
	if err != nil || at.Query().Get("q") != "actor:acme+ci -type:hub." {
		t.Errorf("%q follows %q, %v", live, at.Query().Get("q"), err)
	}
}
