package hoststatus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/gitremote"
	"hubledger/services/sources/hoststatus"
	"hubledger/services/sources/hoststatus/hoststatustest"
)

const (
	sha   = "5dd6a1c07e2b4d2f9b0c6f6f2f5be2c10a6f2f5b"
	token = "t0ken-of-acme"
)

func parse(t testing.TB, text string) gitremote.URL {
	t.Helper()
	u, err := gitremote.ParseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// leading is a client whose connections all lead to one server, whatever the host.
func leading(s *httptest.Server) *hoststatus.Client {
	c := hoststatus.NewClient(&egress.Guard{})
	transport := s.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.InsecureSkipVerify = true // its certificate is not for api.github.com
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}
	c.SetTransport(transport)
	return c
}

func TestAddress(t *testing.T) {
	for _, c := range []struct{ kind, url, want string }{ // want begins with ! for an error
		{"github", "https://github.com/acme/app.git", "https://api.github.com/repos/acme/app/statuses/"},
		{"github", "git@github.com:acme/app.git", "https://api.github.com/repos/acme/app/statuses/"},
		{"github", "ssh://git@ssh.github.com:443/acme/app", "https://api.github.com/repos/acme/app/statuses/"},
		{"github", "https://ghe.example.com:8443/acme/app/", "https://ghe.example.com:8443/api/v3/repos/acme/app/statuses/"},
		{"github", "https://acme.ghe.com/acme/app", "https://api.acme.ghe.com/repos/acme/app/statuses/"},
		{"github", "https://github.com/acme/deep/app", "!OWNER/REPOSITORY"},
		{"gitlab", "https://gitlab.com/acme/deep/app.git", "https://gitlab.com/api/v4/projects/acme%2Fdeep%2Fapp/statuses/"},
		{"gitlab", "ssh://git@altssh.gitlab.com:443/acme/app.git", "https://gitlab.com/api/v4/projects/acme%2Fapp/statuses/"},
		{"gitlab", "https://git.example.com/app", "!GROUP/PROJECT"},
		{"gitea", "https://codeberg.org/acme/app.git", "https://codeberg.org/api/v1/repos/acme/app/statuses/"},
		{"gitea", "https://example.com/git/acme/app.git", "https://example.com/git/api/v1/repos/acme/app/statuses/"},
		{"gitea", "https://example.com/acme/a%25b", "https://example.com/api/v1/repos/acme/a%25b/statuses/"},
		{"gitea", "ssh://git@[fd00::1]:2222/acme/app.git", "https://[fd00::1]/api/v1/repos/acme/app/statuses/"},
		{"gitea", "http://example.com/acme/app", "!https only"},
		{"bitbucket", "https://bitbucket.org/acme/app.git", "https://api.bitbucket.org/2.0/repositories/acme/app/commit/"},
		{"bitbucket", "https://bitbucket.example.com/acme/app.git", "!is it bitbucket-server?"},
		{"bitbucket-server", "https://git.example.com/scm/ACME/app.git", "https://git.example.com/rest/build-status/1.0/commits/"},
		{"bitbucket-server", "https://example.com/bitbucket/scm/~alice/app.git", "https://example.com/bitbucket/rest/build-status/1.0/commits/"},
		{"bitbucket-server", "ssh://git@git.example.com:7999/acme/app.git", "https://git.example.com/rest/build-status/1.0/commits/"},
		{"bitbucket-server", "https://git.example.com/acme/app.git", "!scm/PROJECT/REPOSITORY"},
		{"git", "https://git.example.com/acme/app.git", "!takes no statuses"},
	} {
		got, err := hoststatus.Address(c.kind, parse(t, c.url), sha)
		if part, bad := strings.CutPrefix(c.want, "!"); bad {
			if !errors.Is(err, hoststatus.ErrAddress) || !strings.Contains(err.Error(), part) {
				t.Errorf("%s of the kind %s: %q, %v", c.url, c.kind, got, err)
			}
		} else if err != nil || !strings.HasPrefix(got, c.want+sha) {
			t.Errorf("%s of the kind %s: %q, %v; want %s", c.url, c.kind, got, err, c.want)
		}
	}
	for _, bad := range []string{"", "HEAD", "../../" + sha, sha[:39], sha + "/x"} {
		if got, err := hoststatus.Address("github", parse(t, "https://github.com/acme/app"), bad); err == nil {
			t.Errorf("commit %q: %s", bad, got)
		}
	}
}

// Every state is told to every kind of host as its documentation wants it.
func TestSend(t *testing.T) {
	urls := map[string]string{"github": "https://github.com/acme/app", "gitlab": "https://gitlab.com/acme/deep/app", "gitea": "https://codeberg.org/acme/app",
		"bitbucket": "https://bitbucket.org/acme/app", "bitbucket-server": "https://git.example.com/scm/acme/app"}
	states := []hoststatus.State{hoststatus.Pending, hoststatus.Running, hoststatus.Success, hoststatus.Failure, hoststatus.Error, hoststatus.Cancelled}
	want := map[string]string{
		"github": "pending pending success failure error error", "gitea": "pending pending success failure error error",
		"gitlab": "pending running success failed failed canceled", "bitbucket": "INPROGRESS INPROGRESS SUCCESSFUL FAILED FAILED STOPPED",
		"bitbucket-server": "INPROGRESS INPROGRESS SUCCESSFUL FAILED FAILED FAILED",
	}
	for _, kind := range hoststatus.Hosts {
		host := hoststatustest.New(t, kind, token, nil)
		c := leading(host.Server)
		long := strings.Repeat("ö", 300)
		for k, state := range states {
			s := hoststatus.Status{Commit: sha, Ref: "refs/heads/feature/x", State: state, Context: fmt.Sprint("hubledger/acme/an-app-with-a-long-name/rule-", k), Description: long, URL: "https://hub.example.com/builds/1"}
			for range 2 { // told twice, it is the same
				if err := c.Send(t.Context(), kind, parse(t, urls[kind]), hoststatus.Token{Secret: token}, s); err != nil {
					t.Errorf("%s, %s: %v", kind, state, err)
				}
			}
		}
		var got, contexts []string
		for _, s := range host.Sent() {
			if !slices.Contains(contexts, s.Context) {
				got, contexts = append(got, s.State), append(contexts, s.Context)
			}
			if s.Body["url"]+s.Body["target_url"] != "https://hub.example.com/builds/1" || !strings.HasPrefix(s.Body["description"], "öö") {
				t.Errorf("%s: %v", kind, s.Body)
			}
			if ref := s.Body["ref"] + s.Body["refname"]; (kind == "gitlab" || kind == "bitbucket") && ref != "feature/x" {
				t.Errorf("%s: the ref is %q", kind, ref)
			}
		}
		if strings.Join(got, " ") != want[kind] {
			t.Errorf("%s: %s, want %s", kind, got, want[kind])
		}
	}
}

// The states of GitLab only go on: what cannot be said any more is known to it.
func TestGitLabGoesOn(t *testing.T) {
	host := hoststatustest.New(t, "gitlab", token, nil)
	c := leading(host.Server)
	for _, state := range []hoststatus.State{"running", "pending", "running", "success", "pending", "failure"} {
		s := hoststatus.Status{Commit: sha, State: state, Context: "x", URL: "https://hub.example.com/builds/1"}
		if err := c.Send(t.Context(), "gitlab", parse(t, "https://gitlab.com/acme/app"), hoststatus.Token{Secret: token}, s); err != nil {
			t.Errorf("%s: %v", state, err)
		}
	}
	if got := strings.Join(host.States(sha, "x"), " "); got != "running success pending failed" {
		t.Errorf("it was told %s", got)
	}
}

// A user's own password goes by Basic to Bitbucket; what stands for a token does not.
func TestAuthorization(t *testing.T) {
	for _, c := range []struct{ kind, user, want string }{
		{"github", "x-access-token", "Bearer s"}, {"github", "alice", "Bearer s"}, {"gitlab", "oauth2", "Bearer s"}, {"gitea", "git", "token s"},
		{"bitbucket", "x-token-auth", "Bearer s"}, {"bitbucket", "alice@example.com", "Basic YWxpY2VAZXhhbXBsZS5jb206cw=="}, {"bitbucket-server", "", "Bearer s"}, {"bitbucket-server", "alice", "Basic YWxpY2U6cw=="},
	} {
		var got string
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
		url := map[string]string{"bitbucket": "https://bitbucket.org/a/b", "bitbucket-server": "https://x/scm/a/b"}[c.kind]
		if url == "" {
			url = "https://x/a/b"
		}
		err := leading(s).Send(t.Context(), c.kind, parse(t, url), hoststatus.Token{User: c.user, Secret: "s"}, hoststatus.Status{Commit: sha, State: hoststatus.Success})
		if err != nil || got != c.want {
			t.Errorf("%s as %q: %q, %v", c.kind, c.user, got, err)
		}
		s.Close()
	}
}

// What a host refuses is told with its own words, what to do, and when to come again; never
// with the token.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		kind   string
		status int
		header map[string]string
		body   string
		says   []string
		token  bool
		until  time.Duration // 0: it does not say
	}{
		"scope":             {kind: "github", status: 403, body: `{"message":"Resource not accessible by personal access token"}`, says: []string{"403: Resource not accessible", "repo:status"}, token: true},
		"unknown":           {kind: "github", status: 404, body: `{"message":"Not Found"}`, says: []string{"404: Not Found", "Commit statuses: write"}},
		"echo":              {kind: "github", status: 401, body: `{"message":"Bad credentials ` + token + `"}`, says: []string{"Bad credentials …"}, token: true},
		"limit":             {kind: "github", status: 403, header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(time.Now().Add(20 * time.Minute).Unix())}, body: `{"message":"API rate limit exceeded"}`, says: []string{"rate limit"}, until: 20 * time.Minute},
		"second limit":      {kind: "github", status: 403, body: `{"message":"You have exceeded a secondary rate limit"}`, says: []string{"secondary"}, until: time.Minute},
		"retry":             {kind: "gitlab", status: 429, header: map[string]string{"Retry-After": "90"}, body: "Retry later", says: []string{"429"}, until: 90 * time.Second},
		"retry at a time":   {kind: "gitea", status: 503, header: map[string]string{"Retry-After": time.Now().UTC().Add(5 * time.Minute).Format(http.TimeFormat)}, says: []string{"503"}, until: 5 * time.Minute},
		"fields":            {kind: "gitlab", status: 400, body: `{"message":{"name":["is too long"]}}`, says: []string{"is too long"}},
		"GitLab's scope":    {kind: "gitlab", status: 403, body: `{"error":"insufficient_scope"}`, says: []string{"insufficient_scope", "scope api"}, token: true},
		"Gitea's scope":     {kind: "gitea", status: 403, body: `{"message":"token does not have at least one of required scope(s): [write:repository]"}`, says: []string{"write:repository"}, token: true},
		"Bitbucket's":       {kind: "bitbucket", status: 403, body: `{"type":"error","error":{"message":"Your credentials lack one or more required privilege scopes."}}`, says: []string{"lack one or more", "repository:write"}, token: true},
		"Data Center's":     {kind: "bitbucket-server", status: 401, body: `{"errors":[{"context":null,"message":"Authentication failed."}]}`, says: []string{"Authentication failed", "Repository: read"}, token: true},
		"a page":            {kind: "gitea", status: 502, body: "<html>" + strings.Repeat("x", 1<<20), says: []string{"502"}},
		"a long and a dark": {kind: "gitea", status: 500, body: `{"message":"\u001b[31m` + strings.Repeat("é", 500) + `"}`, says: []string{`\u001b`, "…"}},
	} {
		url := map[string]string{"bitbucket": "https://bitbucket.org/a/b", "bitbucket-server": "https://x/scm/a/b"}[c.kind]
		if url == "" {
			url = "https://x/a/b"
		}
		host := hoststatustest.New(t, c.kind, token, nil)
		host.Fault(func(w http.ResponseWriter, r *http.Request) bool {
			for k, v := range c.header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
			return true
		})
		err := leading(host.Server).Send(t.Context(), c.kind, parse(t, url), hoststatus.Token{Secret: token}, hoststatus.Status{Commit: sha, State: hoststatus.Success, Context: "x"})
		var refused *hoststatus.Refused
		if !errors.As(err, &refused) || refused.Token != c.token || strings.Contains(err.Error(), token) || len(err.Error()) > 600 {
			t.Errorf("%s: %v, %+v", name, err, refused)
			continue
		}
		for _, part := range c.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", name, err, part)
			}
		}
		if got := time.Until(refused.Until); c.until == 0 && !refused.Until.IsZero() || c.until != 0 && (got > c.until+2*time.Second || got < c.until-time.Minute/2) {
			t.Errorf("%s: until %s, want %s", name, got, c.until)
		}
	}
}

// The token does not follow a redirect to another host, a request that becomes another one
// is no success, and our own network is not reached.
func TestWhereItLeads(t *testing.T) {
	var followed []string
	target := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed = append(followed, r.Method+" "+r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusCreated)
	}))
	defer target.Close()
	to := http.StatusMovedPermanently
	first := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target.URL+r.URL.Path, to)
	}))
	defer first.Close()
	c := hoststatus.NewClient(&egress.Guard{})
	s := hoststatus.Status{Commit: sha, State: hoststatus.Success, Context: "x"}
	of := parse(t, first.URL+"/acme/app")
	if err := c.Send(t.Context(), events.HostGitea, of, hoststatus.Token{Secret: token}, s); !errors.Is(err, egress.ErrForbidden) || len(followed) != 0 {
		t.Errorf("our own network: %v", err)
	}
	transport := first.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.InsecureSkipVerify = true
	c.SetTransport(transport)
	err := c.Send(t.Context(), events.HostGitea, of, hoststatus.Token{Secret: token}, s)
	var refused *hoststatus.Refused
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "set the URL of the source") {
		t.Errorf("redirected to a GET: %v", err)
	}
	to = http.StatusPermanentRedirect
	if err := c.Send(t.Context(), events.HostGitea, of, hoststatus.Token{Secret: token}, s); err != nil {
		t.Errorf("redirected to a POST: %v", err)
	}
	if got := strings.Join(followed, "|"); got != "GET |POST " {
		t.Errorf("followed by %s", got)
	}
	if err := c.Send(t.Context(), events.HostGitea, parse(t, "https://gone.invalid/acme/app"), hoststatus.Token{Secret: token}, s); err == nil || errors.As(err, &refused) {
		t.Errorf("a host that is not there: %v", err)
	}
}
