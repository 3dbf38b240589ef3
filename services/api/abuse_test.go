package api_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/services/api"
	"hubledger/services/api/markdown"
	"hubledger/services/internal/account"
	"hubledger/services/internal/activity"
	"hubledger/services/internal/endpoint"
)

// A README that would take the hub down is shown as it was written.
func TestReadmeBomb(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.repository("alice/app", events.Public)
	const repo = "/api/v1/repositories/alice/app"
	bomb := strings.Repeat("|a", 12_400) + "|\n" + strings.Repeat("|-", 12_400) + "|\n" + strings.Repeat("a\n", 25_000)
	k.do("alice", "PATCH", repo, object{"readme": bomb}).want(200)
	var shown struct{ HTML string }
	k.do("", "GET", repo+"/readme", nil).want(200).into(&shown)
	if !strings.Contains(shown.HTML, "<pre>|a|a") || strings.Contains(shown.HTML, "<td>") || len(shown.HTML) > markdown.MaxHTML {
		t.Errorf("%.200q", shown.HTML)
	}
}

// counted counts the keys that are looked at.
type counted struct {
	endpoint.KeptAnswers
	n int
}

func (c *counted) Begin(ctx context.Context, principal, key string, request []byte, now time.Time) (*activity.Answer, *activity.Claim, error) {
	c.n++
	return c.KeptAnswers.Begin(ctx, principal, key, request, now)
}

// No answer is kept for a request without credentials, nor when it is a refusal.
func TestRefusalsAreNotKept(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.repository("alice/app", events.Public)
	var begun *counted
	k.replace(func(_ *api.Config, e *endpoint.Config) {
		begun = &counted{KeptAnswers: e.KeptAnswers}
		e.KeptAnswers = begun
	})
	const star = "/api/v1/repositories/alice/app/star"
	k.do("", "PUT", star, nil, "Idempotency-Key", uuid.NewString()).want(401)
	k.do("", "POST", "/v2/users/login", object{"username": "alice", "password": "wrong"}, "Idempotency-Key", uuid.NewString()).want(401)
	if begun.n != 0 {
		t.Errorf("%d keys of nobody were looked at", begun.n)
	}
	key := uuid.NewString()
	k.do("alice", "POST", "/api/v1/orgs", object{"name": "alice"}, "Idempotency-Key", key).want(409)
	if a := k.do("alice", "PUT", star, nil, "Idempotency-Key", key).want(200); a.Header().Get("Idempotency-Replayed") != "" {
		t.Error("it was replayed")
	}
	if a := k.do("alice", "PUT", star, nil, "Idempotency-Key", key).want(200); a.Header().Get("Idempotency-Replayed") == "" {
		t.Error("a change was not kept")
	}
}

// A body that another site's page can send without asking is refused.
func TestBodiesAreJSON(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.repository("alice/app", events.Private)
	for _, w := range []struct{ method, path, body string }{
		{"POST", "/v2/repositories/alice/app/privacy", `{"is_private":false}`},
		{"PATCH", "/v2/namespaces/alice/repositories/app", `{"description":"x"}`},
		{"POST", "/v2/repositories", `{"namespace":"alice","name":"other"}`},
		{"POST", "/v2/users/login", `{"username":"alice","password":"x"}`},
		{"POST", "/v2/auth/token", `{"identifier":"alice","secret":"x"}`},
		{"PATCH", "/api/v1/repositories/alice/app", `{"description":"x"}`},
		{"POST", "/api/v1/orgs", `{"name":"acme"}`},
	} {
		for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json", "application/jsonx", "text/plain; a=application/json"} {
			before := k.LastSeq()
			k.do("alice", w.method, w.path, w.body, "Content-Type", media).want(415)
			if after := k.LastSeq(); after != before {
				t.Errorf("%s %s as %q: %d events", w.method, w.path, media, after-before)
			}
		}
	}
	k.do("alice", "PATCH", "/v2/repositories/alice/app", `{"description":"x"}`, "Content-Type", "application/json; charset=utf-8").want(200)
	k.do("alice", "PATCH", "/v2/repositories/alice/app", `{"description":"y"}`, "Content-Type", "application/merge-patch+json").want(200)
}

// A credential that may only read makes no changes.
func TestReadingCredentialsWriteNothing(t *testing.T) {
	k := world(t)
	repo := "/api/v1/repositories/acme/public/star"
	before := k.LastSeq()
	for _, as := range []string{"owner, reading", "hubadmin, reading"} {
		k.do(as, "PUT", repo, nil).want(403)
		k.do(as, "DELETE", repo, nil).want(403)
	}
	k.do("", "PUT", repo, nil).want(401)
	if after := k.LastSeq(); after != before {
		t.Errorf("%d events", after-before)
	}
	k.do("owner, pushing", "PUT", repo, nil).want(200)
}

// Strangers learn no more of an account than its public repositories show.
func TestAccountsOfStrangers(t *testing.T) {
	k := world(t)
	type shown struct {
		Username, OrgName, ID, UUID string
		Joined                      *string `json:"date_joined"`
	}
	see := func(as, path string) (v shown) {
		t.Helper()
		k.do(as, "GET", path, nil).want(200).into(&v)
		return v
	}
	for _, as := range []string{"", "stranger"} {
		if v := see(as, "/v2/orgs/acme"); v.OrgName != "acme" || v.ID != "" || v.UUID != "" || v.Joined != nil {
			t.Errorf("as %q: %+v", as, v)
		}
		missing := k.do(as, "GET", "/v2/users/nobody-of-that-name", nil).want(404).Body.String()
		if a := k.do(as, "GET", "/v2/users/owner", nil).want(404); a.Body.String() != missing {
			t.Errorf("as %q: %s, and one that is not there: %s", as, a.Body, missing)
		}
	}
	for as, path := range map[string]string{"member": "/v2/orgs/acme", "hubadmin": "/v2/orgs/acme", "owner": "/v2/users/owner", "operator": "/v2/users/owner"} {
		if v := see(as, path); v.ID == "" || v.Joined == nil {
			t.Errorf("as %s: %+v", as, v)
		}
	}
	k.do("owner", "DELETE", "/api/v1/repositories/acme/public", nil).want(200)
	k.do("", "GET", "/v2/orgs/acme", nil).want(404)
	k.do("stranger", "GET", "/v2/orgs/acme", nil).want(404)
	see("reader", "/v2/orgs/acme") // has acme/private to read
	// An erased user is shown to administrators only.
	k.repository("member/app", events.Public)
	see("", "/v2/users/member")
	k.do("hubadmin", "POST", "/api/v1/users/member/erasure", object{"confirm": "member"}).want(200)
	for _, as := range []string{"", "stranger", "owner"} {
		k.do(as, "GET", "/v2/users/member", nil).want(404)
	}
	k.do("stranger", "GET", "/api/v1/users/member", nil).want(404)
	see("hubadmin", "/v2/users/member")
	k.do("hubadmin", "GET", "/api/v1/users/member", nil).want(200)
}

// What happened while a repository was private is shown to those who may write there.
func TestActivityOfPrivateTimes(t *testing.T) {
	k := world(t)
	const repo = "/api/v1/repositories/acme/private"
	kinds := func(as, address string) (list []string) {
		t.Helper()
		var a struct {
			Items []struct {
				Seq  uint64
				Kind string
			}
		}
		k.do(as, "GET", address, nil).want(200).into(&a)
		for _, i := range a.Items {
			list = append(list, i.Kind)
		}
		return list
	}
	if got := kinds("reader", repo+"/activity"); len(got) != 2 {
		t.Errorf("a reader of a private repository sees %v", got)
	}
	k.do("owner", "PATCH", repo, object{"visibility": "public"}).want(200)
	k.do("owner", "PATCH", repo, object{"description": "open"}).want(200)
	for as, n := range map[string]int{"": 2, "stranger": 2, "reader": 2, "writer": 4, "owner": 4, "owner, reading": 2} {
		if got := kinds(as, repo+"/activity"); len(got) != n {
			t.Errorf("as %q: %v", as, got)
		}
	}
	// Reading page by page shows no more of it.
	var page, last struct{ Next string }
	k.do("", "GET", repo+"/activity?limit=1", nil).want(200).into(&page)
	if got := kinds("", page.Next); len(got) != 1 || got[0] != "repository.visibility_changed" {
		t.Errorf("the second page %v", got)
	}
	if k.do("", "GET", page.Next, nil).want(200).into(&last); last.Next != "" {
		t.Errorf("a third page at %s", last.Next)
	}
	var writers struct{ Next string }
	k.do("writer", "GET", repo+"/activity?limit=2", nil).want(200).into(&writers)
	if got := kinds("", writers.Next); writers.Next == "" || len(got) != 0 {
		t.Errorf("by a writer's cursor: %v", got)
	}
}

// An account may make a bounded number of changes at once and then has to wait.
// Taking away is free, because what is taken away was made before; administrators
// and other accounts are not affected.
func TestWritesAreBounded(t *testing.T) {
	k := world(t)
	const star = "/api/v1/repositories/acme/public/star"
	passed := 0
	var refused *answer
	for range 150 {
		k.do("stranger", "DELETE", star, nil).want(200)
		a := k.do("stranger", "PUT", star, nil).want(200, 429)
		if a.Code == 429 {
			refused = &a
		} else {
			passed++
		}
	}
	if refused == nil || passed < 100 || passed > 140 {
		t.Fatalf("%d changes passed", passed)
	}
	if refused.Header().Get("Retry-After") != "1" || refused.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%v", refused.Header())
	}
	for range 150 {
		k.do("hubadmin", "PUT", star, nil).want(200)
		k.do("operator", "PUT", "/api/v1/namespaces/acme/quota", object{"bytes": 0, "images": 0}).want(200)
		k.do("writer", "DELETE", "/api/v1/repositories/acme/public/tags/none", nil).want(404)
	}
	k.do("writer", "PUT", star, nil).want(200)
	k.do("stranger", "GET", strings.TrimSuffix(star, "/star"), nil).want(200)
}

// A user can make a bounded number of organizations, even by requests at the same time.
func TestOrganizationsAreBounded(t *testing.T) {
	k, ctx := start(t), context.Background()
	id, alice := k.user("alice"), tester
	alice.Actor = "alice"
	for n := range 45 {
		k.made(account.CreateOrganization(ctx, k.Log(), alice, fmt.Sprint("org-", n), id))
	}
	var work sync.WaitGroup
	codes := make([]int, 20)
	for n := range codes {
		work.Go(func() {
			codes[n] = k.do("alice", "POST", "/api/v1/orgs", object{"name": fmt.Sprint("more-", n)}).want(201, 403).Code
		})
	}
	work.Wait()
	made := 0
	for _, code := range codes {
		if code == 201 {
			made++
		}
	}
	if made != 5 {
		t.Errorf("%d more were made", made)
	}
	k.do("operator", "POST", "/api/v1/orgs", object{"name": "extra", "owner": "alice"}).want(201)
}
