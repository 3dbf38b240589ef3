package server_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/internal/budget"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// user makes an account and the headers by which it is known.
func user(t *testing.T, n *servertest.Server, name string) http.Header {
	t.Helper()
	_, seq, err := account.CreateUser(t.Context(), n.Log(), servertest.By, name)
	n.Done(seq, err)
	basic := base64.StdEncoding.EncodeToString([]byte(name + ":" + n.Token(name, events.LevelAdmin)))
	return http.Header{"Authorization": {"Basic " + basic}, "Content-Type": {"application/json"}}
}

// A client that has too many requests in progress gets 429, in the form of the
// service that it asks, and others are served.
func TestTooManyRequests(t *testing.T) {
	n := servertest.Start(t, server.Config{Budget: budget.Config{AtOnce: 5}})
	header := user(t, n, "alice")
	var uploads []string
	for range 5 {
		uploads = append(uploads, ask(t, "POST", n.URL+"/v2/alice/app/blobs/uploads/", nil, header).header.Get("Location"))
	}
	for _, upload := range uploads { // each waits for the rest of its body
		conn, err := net.Dial("tcp", strings.TrimPrefix(n.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: hub\r\nExpect: 100-continue\r\nContent-Length: 1000\r\nAuthorization: %s\r\n\r\n",
			strings.TrimPrefix(upload, n.URL), header.Get("Authorization"))
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("%q, %v", line, err)
		}
		io.WriteString(conn, "x")
	}
	a := ask(t, "POST", n.URL+"/v2/alice/app/blobs/uploads/", nil, header)
	if a.status != 429 || a.header.Get("Retry-After") != "1" || !strings.Contains(string(a.body), `"code":"TOOMANYREQUESTS"`) {
		t.Errorf("the sixth upload: %d %v %s", a.status, a.header, a.body)
	}
	if a := ask(t, "GET", n.URL+"/v2/", nil, header); a.status != 200 {
		t.Errorf("another sort of request: %d %s", a.status, a.body)
	}
}

// An account that has filled its share of the log can still take away, and others
// can write.
func TestTheLogIsShared(t *testing.T) {
	n := servertest.Start(t, server.Config{Budget: budget.Config{LogBytes: 100_000}})
	alice, bob := user(t, n, "alice"), user(t, n, "bob")
	ask(t, "POST", n.URL+"/api/v1/repositories", strings.NewReader(`{"name":"alice/app"}`), alice)
	describe := func() reply {
		readme := `{"readme":"` + strings.Repeat("x", 20_000) + fmt.Sprint(n.LastSeq()) + `"}`
		return ask(t, "PATCH", n.URL+"/api/v1/repositories/alice/app", strings.NewReader(readme), alice)
	}
	a, changes := describe(), 0
	for ; a.status == 200 && changes < 10; a = describe() {
		changes++
	}
	if a.status != 429 || changes != 2 || a.header.Get("Retry-After") == "" || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("after %d changes: %d %v %s", changes, a.status, a.header, a.body)
	}
	if a := ask(t, "POST", n.URL+"/api/v1/repositories", strings.NewReader(`{"name":"bob/app"}`), bob); a.status != 201 {
		t.Errorf("bob: %d %s", a.status, a.body)
	}
	if a := ask(t, "PATCH", n.URL+"/api/v1/repositories/alice/app", strings.NewReader(`{"visibility":"private"}`), alice); a.status != 200 {
		t.Errorf("closing the repository: %d %s", a.status, a.body)
	}
	if a := ask(t, "DELETE", n.URL+"/api/v1/repositories/alice/app", nil, alice); a.status != 200 {
		t.Errorf("deleting it: %d %s", a.status, a.body)
	}
	if a := ask(t, "GET", n.URL+"/metrics", nil, nil); !strings.Contains(string(a.body), `hubledger_log_account_bytes{account="alice"} 4`) {
		t.Errorf("the metrics do not name alice")
	}
}

// A client that logs in again and again is served each time, but gets a login token,
// which is an event, only so often.
func TestLoginTokensAreBounded(t *testing.T) {
	n := servertest.Start(t, server.Config{})
	begun, tokens := n.LastSeq(), 0
	for range 100 {
		a := ask(t, "GET", n.URL+"/token?service=hub&client_id=docker&offline_token=true", nil, nil)
		if a.status != 200 || !strings.Contains(string(a.body), `"access_token"`) {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if strings.Contains(string(a.body), `"refresh_token"`) {
			tokens++
		}
	}
	if made := n.LastSeq() - begun; tokens < 20 || tokens > 40 || made != uint64(tokens) {
		t.Errorf("%d login tokens and %d events", tokens, made)
	}
}

// Whoever signs in by a browser again and again gets in each time, but a session that is
// listed, which is an event, only so often.
func TestSignInsAreBounded(t *testing.T) {
	n := servertest.Start(t, server.Config{})
	begun := n.LastSeq()
	form := url.Values{"do": {"sign-in"}, "name": {servertest.Admin}, "password": {servertest.Password}, "next": {"/keys"}}.Encode()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for range 45 {
		resp, err := client.Post(n.URL+"/sign-in", "application/x-www-form-urlencoded", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusSeeOther || len(resp.Cookies()) != 1 {
			t.Fatalf("%d %v", resp.StatusCode, resp.Cookies())
		}
		page, err := http.NewRequest("GET", n.URL+"/account", nil)
		if err != nil {
			t.Fatal(err)
		}
		page.AddCookie(resp.Cookies()[0])
		if resp, err = client.Do(page); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("signed in, the account is answered %v, %v", resp, err)
		}
		resp.Body.Close()
	}
	if made := n.LastSeq() - begun; made < 20 || made > 40 {
		t.Errorf("45 sign-ins made %d events", made)
	}
}
