package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/auth"
	"hubledger/services/internal/access"
	"hubledger/services/internal/repository"
)

func need(repository string, l access.Level) access.Need {
	return access.Need{Repository: repository, Level: l}
}

// withScope is how a client comes back with a token for a scope.
func (h *hub) withScope(how call, scopes ...string) call {
	h.t.Helper()
	a := h.get(how, url.Values{"scope": scopes})
	if a.status != http.StatusOK {
		h.t.Fatalf("no token: %+v", a)
	}
	return bearer(a.Token)
}

func TestAuthorize(t *testing.T) {
	h := withAlice(t)
	check(t, func() error { _, err := h.Initialize(t.Context()); return err }())
	admin := basic("admin", readPassword(t, h))
	alice := basic("alice", alicesPassword)
	reads := h.token("alice", events.TokenIssued{Level: events.LevelRead})
	writes := h.token("alice", events.TokenIssued{Level: events.LevelWrite, Repositories: []string{"alice/app"}})
	const host = "hub.test:5050"
	challenge := func(scope string, more ...string) string {
		s := `Bearer realm="https://hub.test:5050/token",service="hubledger"`
		if scope != "" {
			s += `,scope="` + scope + `"`
		}
		return s + strings.Join(more, "")
	}
	insufficient := func(scope, message string) string {
		return challenge(scope, `,error="insufficient_scope",error_description="`+strings.ReplaceAll(message, `"`, `\"`)+`"`)
	}
	type want struct {
		status    int
		code      string
		message   string
		challenge string
	}
	ok := want{}
	login := func(scope string) want {
		return want{401, "UNAUTHORIZED", "authentication required", challenge(scope)}
	}
	denied := func(message string) want { return want{403, "DENIED", message, ""} }
	narrow := func(scope, message string) want { return want{401, "DENIED", message, insufficient(scope, message)} }
	topLevel := `"app" is a top-level name for administrators; push to ` + host + `/alice/app`
	bobs := `you may not push to bob/app; push to ` + host + `/alice/app`
	for _, c := range []struct {
		name string
		how  call
		need access.Need
		want want
	}{
		{"nobody, ping", anonymous, access.Need{}, login("")},
		{"nobody, public", anonymous, need("alice/open", access.Read), ok},
		{"nobody, top level", anonymous, need("library/busybox", access.Read), ok},
		{"nobody, private", anonymous, need("alice/app", access.Read), login("repository:alice/app:pull")},
		{"nobody, missing", anonymous, need("alice/none", access.Read), login("repository:alice/none:pull")},
		{"nobody, push", anonymous, need("alice/open", access.Write), login("repository:alice/open:pull,push")},
		{"nobody, delete", anonymous, need("alice/open", access.Delete), login("repository:alice/open:delete")},
		{"nobody, catalog", anonymous, access.Need{Catalog: true}, login("registry:catalog:*")},
		{"nobody's token, ping", h.withScope(anonymous), access.Need{}, ok},
		{"nobody's token, catalog", h.withScope(anonymous, "registry:catalog:*"), access.Need{Catalog: true}, ok},
		{"nobody's token, public", h.withScope(anonymous, "repository:alice/open:pull"), need("alice/open", access.Read), ok},
		{"nobody's token, private", h.withScope(anonymous, "repository:alice/app:pull"), need("alice/app", access.Read),
			narrow("repository:alice/app:pull", "there is no alice/app, or it needs a login: docker login "+host)},
		{"nobody's token, missing", h.withScope(anonymous, "repository:alice/none:pull"), need("alice/none", access.Read),
			narrow("repository:alice/none:pull", "there is no alice/none, or it needs a login: docker login "+host)},
		{"nobody's token, push", h.withScope(anonymous, "repository:alice/open:pull,push"), need("alice/open", access.Write),
			narrow("repository:alice/open:pull,push", "to push to alice/open needs a login: docker login "+host)},

		{"password, ping", alice, access.Need{}, ok},
		{"password, own", alice, need("alice/app", access.Admin), ok},
		{"password, new", alice, need("alice/new", access.Write), ok},
		{"password, catalog", alice, access.Need{Catalog: true}, ok},
		{"password, another's", alice, need("bob/app", access.Read), denied("there is no bob/app, or you may not see it")},
		{"password, another's missing", alice, need("bob/none", access.Read), denied("there is no bob/none, or you may not see it")},
		{"password, no such namespace", alice, need("carol/none", access.Read), denied("there is no carol/none, or you may not see it")},
		{"password, push to another's", alice, need("bob/app", access.Write), denied(bobs)},
		{"password, push to another's, deep", alice, need("bob/x/y", access.Write), denied("you may not push to bob/x/y; push to " + host + "/alice/x/y")},
		{"password, push to no namespace", alice, need("carol/app", access.Write), denied("you may not push to carol/app; push to " + host + "/alice/app")},
		{"password, push to top level", alice, need("app", access.Write), denied(topLevel)},
		{"password, delete what is seen", alice, need("busybox", access.Delete), denied("you may not delete from busybox")},
		{"admin, push to top level", admin, need("app", access.Write), ok},
		{"admin, push to no namespace", admin, need("carol/app", access.Write), denied(`there is no user or organization "carol": create it first`)},
		{"admin, private", admin, need("bob/app", access.Admin), ok},

		{"token that reads", basic("alice", reads), need("alice/app", access.Read), ok},
		{"token that reads, push", basic("alice", reads), need("alice/app", access.Write), denied("the access token does not allow to push to alice/app")},
		{"token that reads, push elsewhere", bearer(reads), need("bob/app", access.Write), denied("you may not push to bob/app")},
		{"token that writes, delete", bearer(writes), need("alice/app", access.Delete), denied("the access token does not allow to delete from alice/app")},
		{"token that writes, other repository", bearer(writes), need("alice/open", access.Write), denied("the access token is not valid for alice/open")},

		{"granted", h.withScope(alice, "repository:alice/app:pull,push"), need("alice/app", access.Write), ok},
		{"granted, by the other name", h.withScope(alice, "repository:library/busybox:pull"), need("busybox", access.Read), ok},
		{"granted all", h.withScope(alice, "repository:alice/app:*"), need("alice/app", access.Delete), ok},
		{"granted delete", h.withScope(alice, "repository:alice/app:delete"), need("alice/app", access.Delete), ok},
		{"granted pull, push", h.withScope(alice, "repository:alice/app:pull"), need("alice/app", access.Write),
			narrow("repository:alice/app:pull,push", "the token was not asked for pull,push on alice/app")},
		{"granted push, pull", h.withScope(alice, "repository:alice/app:push"), need("alice/app", access.Read),
			narrow("repository:alice/app:pull", "the token was not asked for pull on alice/app")},
		{"granted push, delete", h.withScope(alice, "repository:alice/app:pull,push"), need("alice/app", access.Delete),
			narrow("repository:alice/app:delete", "the token was not asked for delete on alice/app")},
		{"granted elsewhere", h.withScope(alice, "repository:alice/open:pull"), need("alice/app", access.Read),
			narrow("repository:alice/app:pull", "the token was not asked for pull on alice/app")},
		{"not granted, push to top level", h.withScope(alice, "repository:app:pull,push"), need("app", access.Write),
			narrow("repository:app:pull,push", topLevel)},
		{"not granted, push to another's", h.withScope(alice, "repository:bob/app:pull,push"), need("bob/app", access.Write),
			narrow("repository:bob/app:pull,push", bobs)},
		{"no catalog granted", h.withScope(alice, "repository:alice/app:pull"), access.Need{Catalog: true},
			narrow("registry:catalog:*", "the token does not allow listing repositories")},
		{"wrong token", bearer("x"), need("busybox", access.Read), want{401, "UNAUTHORIZED", "the token is invalid or has expired: log in again",
			challenge("repository:busybox:pull", `,error="invalid_token",error_description="the token is invalid or has expired: log in again"`)}},
		{"wrong password", basic("alice", "wrong-password"), need("busybox", access.Read),
			want{401, "UNAUTHORIZED", "incorrect username or password", challenge("repository:busybox:pull")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := h.Authorize(request(t, "GET", "/v2/", "", c.how), c.need)
			got := ok
			var d *access.Denied
			if errors.As(err, &d) {
				got = want{d.Status, d.Code, d.Message, d.Challenge}
			} else if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("\n%+v, not\n%+v", got, c.want)
			}
		})
	}
	if _, err := h.Authorize(request(t, "GET", "/v2/", "", alice), need("UPPER", access.Read)); !errors.Is(err, repository.ErrName) {
		t.Errorf("a bad name: %v", err)
	}
	both := []access.Need{need("alice/app", access.Write), need("bob/app", access.Read)}
	var d *access.Denied
	if _, err := h.Authorize(request(t, "POST", "/v2/", "", anonymous), both...); !errors.As(err, &d) || d.Challenge != challenge("repository:alice/app:pull,push repository:bob/app:pull") {
		t.Errorf("of two needs: %v", d)
	}
	if _, err := h.Authorize(request(t, "POST", "/v2/", "", alice), both...); !errors.As(err, &d) || d.Status != 403 {
		t.Errorf("one of two needs: %v", err)
	}
	if p, err := h.Authorize(request(t, "POST", "/v2/", "", alice), both[0]); err != nil || p.Name != "alice" || p.Kind != access.User {
		t.Errorf("%+v, %v", p, err)
	}
}

// A right or a credential that is taken away is gone with the event, whatever
// was granted or cached before.
func TestWhatIsTakenAwayEndsAtOnce(t *testing.T) {
	h := withAlice(t)
	ctx := t.Context()
	_, err := h.Initialize(ctx) // the hub keeps an administrator
	check(t, err)
	alice, err := h.read.Account(ctx, "alice")
	check(t, err)
	refused := func(how call, n access.Need) bool {
		t.Helper()
		var d *access.Denied
		_, err := h.Authorize(request(t, "GET", "/v2/", "", how), n)
		if err != nil && (!errors.As(err, &d) || d.Status != 401) {
			t.Errorf("%v", err)
		}
		return err != nil
	}
	secret, id, seq, err := h.IssueToken(ctx, by, alice, events.TokenIssued{Name: "x", Level: events.LevelAdmin})
	h.done(seq, err)
	session, _, err := h.Login(ctx, request(t, "POST", "/", "", anonymous), "alice", secret)
	check(t, err)
	calls := map[string]call{"token": basic("alice", secret), "its registry token": h.withScope(basic("alice", secret), "repository:alice/app:pull"), "its session": bearer(session)}
	own := need("alice/app", access.Read)
	for name, how := range calls {
		if refused(how, own) {
			t.Errorf("%s is refused", name)
		}
	}
	h.done(revoke(ctx, h, alice.Namespace, id))
	for name, how := range calls {
		if !refused(how, own) {
			t.Errorf("%s is accepted after it was revoked", name)
		}
	}
	password := basic("alice", alicesPassword)
	session, _, err = h.Login(ctx, request(t, "POST", "/", "", anonymous), "alice", alicesPassword)
	check(t, err)
	calls = map[string]call{"password": password, "registry token": h.withScope(password, "repository:alice/app:pull"), "session": bearer(session),
		"session as Docker Hub's": func(r *http.Request) { r.Header.Set("Authorization", "JWT "+session) }}
	for name, how := range calls {
		if refused(how, own) {
			t.Errorf("%s is refused", name)
		}
	}
	h.done(disable(ctx, h, alice.ID, true))
	for name, how := range calls {
		if !refused(how, own) {
			t.Errorf("%s is accepted of a disabled account", name)
		}
	}
	h.done(disable(ctx, h, alice.ID, false))
	for name, how := range calls {
		if refused(how, own) {
			t.Errorf("%s is refused of an account that is enabled again", name)
		}
	}
	h.done(h.Erase(ctx, by, alice.ID))
	for name, how := range calls {
		if !refused(how, own) {
			t.Errorf("%s is accepted of an erased account", name)
		}
	}
}

// A token of the token service is good for no more outside the registry.
func TestRegistryTokensAtTheAPI(t *testing.T) {
	h := withAlice(t)
	alice := basic("alice", alicesPassword)
	narrow := h.token("alice", events.TokenIssued{Level: events.LevelAdmin, Repositories: []string{"alice/app"}})
	for name, c := range map[string]struct {
		how  call
		want *access.Limit
	}{
		"password":            {alice, nil},
		"pull":                {h.withScope(alice, "repository:alice/app:pull,push"), &access.Limit{Level: access.Read, Repositories: []string{"alice/app"}}},
		"everything":          {h.withScope(alice, "repository:alice/app:*"), &access.Limit{Level: access.Read, Repositories: []string{"alice/app"}}},
		"push only":           {h.withScope(alice, "repository:alice/app:push"), &access.Limit{Level: access.Read, Repositories: []string{}}},
		"search":              {h.withScope(alice, "registry:catalog:search"), &access.Limit{Level: access.Read}},
		"search, narrow":      {h.withScope(basic("alice", narrow), "registry:catalog:search"), &access.Limit{Level: access.Read, Repositories: []string{"alice/app"}}},
		"narrow access token": {bearer(narrow), &access.Limit{Level: access.Admin, Repositories: []string{"alice/app"}}},
	} {
		p, err := h.Authenticate(request(t, "GET", "/", "", c.how))
		if err != nil || p.Name != "alice" || !sameLimit(p.Limit, c.want) {
			t.Errorf("%s: %+v %+v, %v", name, p, p.Limit, err)
		}
	}
}

// A silentLog does not say how far it goes.
type silentLog struct{}

func (silentLog) LastSeq(context.Context) (uint64, error) { return 0, errors.New("no answer") }

// Without word from the log for a second, nothing is given: what was public
// may not be any more.
func TestStale(t *testing.T) {
	h := withAlice(t)
	stale := h.config
	stale.Rights = access.New(access.Config{Read: h.read, View: h.view, Log: silentLog{}})
	s := auth.New(stale)
	token := h.token("alice", events.TokenIssued{Level: events.LevelRead})
	for name, how := range map[string]call{"password": basic("alice", alicesPassword), "token": bearer(token), "nobody": anonymous, "empty Basic": basic("", ""), "nobody's token": h.withScope(anonymous, "repository:alice/open:pull"),
		"registry token": h.withScope(basic("alice", alicesPassword), "repository:alice/app:pull")} {
		var d *access.Denied
		_, err := s.Authorize(request(t, "GET", "/v2/", "", how), need("alice/open", access.Read))
		if !errors.As(err, &d) || d.Status != 503 || d.Code != "UNAVAILABLE" || d.RetryAfter == 0 || !errors.Is(err, access.ErrStale) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var d *access.Denied
	if _, err := s.Authenticate(request(t, "GET", "/", "", anonymous)); !errors.As(err, &d) || d.Status != 503 {
		t.Errorf("nobody at the API: %v", err)
	}
	if a := serve(t, s, request(t, "GET", "/token", "", basic("alice", alicesPassword))); a.status != 503 || a.header.Get("Retry-After") != "1" {
		t.Errorf("%+v", a)
	}
}
