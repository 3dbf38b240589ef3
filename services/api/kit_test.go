package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/api"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/service"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

var tester = servertest.By

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A kit is a hub that runs, with accounts that can make requests to its API.
type kit struct {
	*servertest.Server
	t      testing.TB
	served http.Handler      // gets the requests
	tokens map[string]string // by the name that do takes: a bearer token, or a whole Authorization
}

func start(t testing.TB) *kit {
	t.Helper()
	s := servertest.Start(t, server.Config{})
	return &kit{Server: s, t: t, served: s.Handler, tokens: map[string]string{}}
}

// replace makes the API anew, over the same node and with changed parts. It gets
// all further requests, but for those of other services, which stay as they are.
func (k *kit) replace(change func(*api.Config, *endpoint.Config)) {
	k.t.Helper()
	c, e := k.APIConfig()
	change(&c, &e)
	c.API = openapi.New(endpoint.New(e), "dev")
	router, err := service.NewRouter([]service.Service{api.New(c).Service(), k.service("rules"), k.service("sources"), k.service("builder"), k.service("deployer"), k.service("hostagent"), k.service("audit"), k.service("system")}, endpoint.NotServed)
	check(k.t, err)
	k.served = router
}

// service is one of those that the node runs.
func (k *kit) service(name string) service.Service {
	k.t.Helper()
	s, ok := k.Service(name)
	if !ok {
		k.t.Fatalf("the node does not run the service %s", name)
	}
	return s
}

// routes are those of the API, by all services that have a part of it.
func (k *kit) routes() []service.Route {
	return slices.DeleteFunc(slices.Concat(k.service("api").Routes, k.service("rules").Routes, k.service("sources").Routes, k.service("builder").Routes, k.service("deployer").Routes, k.service("hostagent").Routes, k.service("system").Routes, k.service("audit").Routes),
		func(rt service.Route) bool { return strings.HasPrefix(rt.Pattern, "/hooks/") }) // a signature lets in, not an account
}

// made is Done for a command that also returns the id of what it made.
func (k *kit) made(id string, seq uint64, err error) string {
	k.t.Helper()
	k.Done(seq, err)
	return id
}

// user makes a user with an access token that is good for all.
func (k *kit) user(name string) string {
	k.t.Helper()
	id := k.made(account.CreateUser(context.Background(), k.Log(), tester, name))
	k.token(name, name, events.LevelAdmin)
	return id
}

// token makes an access token and keeps it under a name.
func (k *kit) token(as, owner, level string, repositories ...string) {
	k.t.Helper()
	k.tokens[as] = k.Token(owner, level, repositories...)
}

// repository makes one in a namespace that is there.
func (k *kit) repository(name, visibility string) repository.ID {
	k.t.Helper()
	parsed, err := repository.ParseName(name)
	check(k.t, err)
	id, err := repository.Ensure(context.Background(), k.Log(), tester, parsed, visibility)
	check(k.t, err)
	k.CatchUp()
	return id
}

// An answer to a request.
type answer struct {
	*httptest.ResponseRecorder
	t testing.TB
}

// into decodes the body.
func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.Body.Bytes(), v); err != nil {
		a.t.Fatalf("%d: %v in %s", a.Code, err, a.Body)
	}
}

// want ends the test unless the status is one of these.
func (a answer) want(codes ...int) answer {
	a.t.Helper()
	for _, code := range codes {
		if a.Code == code {
			return a
		}
	}
	a.t.Fatalf("%d, want %v: %s", a.Code, codes, a.Body)
	return a
}

// do sends a request as somebody: "" is nobody, "operator" comes by the admin
// socket, others come by their access token.
func (k *kit) do(as, method, path string, body any, header ...string) answer {
	k.t.Helper()
	var sent io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		sent = bytes.NewBufferString(b)
	default:
		data, err := json.Marshal(b)
		check(k.t, err)
		sent = bytes.NewReader(data)
	}
	r := httptest.NewRequest(method, path, sent)
	if sent != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	switch {
	case as == "operator":
		r = r.WithContext(access.WithPrincipal(r.Context(), access.Operates))
	case as != "":
		secret, ok := k.tokens[as]
		if !ok {
			k.t.Fatalf("nobody is called %s", as)
		}
		if !strings.Contains(secret, " ") {
			secret = "Bearer " + secret
		}
		r.Header.Set("Authorization", secret)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	k.served.ServeHTTP(w, r)
	return answer{w, k.t}
}

type object = map[string]any

// filesWith lists the files of the data directory that have a text.
func (k *kit) filesWith(text string) (list []string) {
	k.t.Helper()
	check(k.t, filepath.WalkDir(k.Data, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return gone(err)
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			list = append(list, path)
		}
		return gone(err)
	}))
	return list
}

// gone passes over a temporary file that a running hub has removed meanwhile.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
