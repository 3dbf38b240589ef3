package web_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// A browser keeps cookies and follows no redirects.
type browser struct {
	t    *testing.T
	hub  *servertest.Server
	http *http.Client
}

func newBrowser(t *testing.T, hub *servertest.Server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, hub, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// get returns the status, the text and the Location of a page.
func (b *browser) get(path string) (int, string, string) {
	b.t.Helper()
	resp, err := b.http.Get(b.hub.URL + path)
	return b.read(resp, err)
}

// post sends a form.
func (b *browser) post(path string, form url.Values) (int, string, string) {
	b.t.Helper()
	resp, err := b.http.PostForm(b.hub.URL+path, form)
	return b.read(resp, err)
}

func (b *browser) read(resp *http.Response, err error) (int, string, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header.Get("Location")
}

func (b *browser) signIn(name, password string) {
	b.t.Helper()
	if status, text, _ := b.post("/sign-in", url.Values{"do": {"sign-in"}, "name": {name}, "password": {password}}); status != http.StatusSeeOther {
		b.t.Fatalf("sign in as %s: %d %s", name, status, text)
	}
}

func TestSignIn(t *testing.T) {
	hub := servertest.Start(t, server.Config{})
	b := newBrowser(t, hub)
	if status, _, to := b.get("/sign-out"); status != http.StatusSeeOther || to != "/sign-in?next=%2Fsign-out" {
		t.Errorf("a page for people who are signed in: %d to %s", status, to)
	}
	status, text, _ := b.post("/sign-in", url.Values{"do": {"sign-in"}, "name": {servertest.Admin}, "password": {"wrong"}, "next": {"/account"}})
	if status != http.StatusForbidden || !strings.Contains(text, "no such name with that password") || !strings.Contains(text, `value="/account"`) || strings.Contains(text, `value="wrong"`) {
		t.Errorf("a wrong password: %d %s", status, text)
	}
	if status, _, to := b.post("/sign-in", url.Values{"do": {"sign-in"}, "name": {servertest.Admin}, "password": {servertest.Password}, "next": {"/account"}}); status != http.StatusSeeOther || to != "/account" {
		t.Errorf("the password: %d to %s", status, to)
	}
	if _, text, _ := b.get("/"); !strings.Contains(text, ">"+servertest.Admin+"</a>") {
		t.Errorf("the first page does not show who is signed in: %s", text)
	}
	if status, _, to := b.post("/sign-out", url.Values{"do": {"sign-out"}}); status != http.StatusSeeOther || to != "/" {
		t.Errorf("sign out: %d to %s", status, to)
	}
	if _, text, _ := b.get("/"); strings.Contains(text, ">"+servertest.Admin+"</a>") {
		t.Error("still signed in")
	}
	if status, _, _ := b.post("/sign-in", url.Values{"do": {"sign-in"}, "name": {servertest.Admin}, "password": {hub.Token(servertest.Admin, "admin")}}); status != http.StatusForbidden {
		t.Errorf("an access token in place of the password: %d", status)
	}
}

// What a session was signed out of stays refused, also when the browser keeps the cookie.
func TestSignOutEndsTheSession(t *testing.T) {
	hub := servertest.Start(t, server.Config{})
	b := newBrowser(t, hub)
	b.signIn(servertest.Admin, servertest.Password)
	at, err := url.Parse(hub.URL)
	if err != nil {
		t.Fatal(err)
	}
	kept := b.http.Jar.Cookies(at)
	if len(kept) != 1 {
		t.Fatalf("cookies %v", kept)
	}
	b.post("/sign-out", url.Values{"do": {"sign-out"}})
	b.http.Jar.SetCookies(at, kept)
	if status, _, to := b.get("/sign-out"); status != http.StatusSeeOther || !strings.HasPrefix(to, "/sign-in") {
		t.Errorf("with the old cookie: %d to %s", status, to)
	}
}

// A sign-in leads to addresses of the hub only.
func TestSignInLeadsNowhereElse(t *testing.T) {
	hub := servertest.Start(t, server.Config{})
	for _, next := range []string{"https://elsewhere.example/", "//elsewhere.example/", `/\elsewhere.example/`, `\\elsewhere.example`, "javascript:alert(1)", ""} {
		b := newBrowser(t, hub)
		status, _, to := b.post("/sign-in", url.Values{"do": {"sign-in"}, "name": {servertest.Admin}, "password": {servertest.Password}, "next": {next}})
		if status != http.StatusSeeOther || to != "/" {
			t.Errorf("next=%q: %d to %s", next, status, to)
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
