package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"hubledger/services/internal/service"
	"hubledger/services/registry/registrytest"
)

// A script for Docker Hub: log in in the old and the new form, make, describe,
// list, close and delete, with slashes at the end as such scripts have them.
func TestDockerHubScript(t *testing.T) {
	k := start(t)
	k.do("operator", "POST", "/api/v1/users", object{"name": "alice", "password": "correct horse"}).want(201)
	var old struct{ Token string }
	k.do("", "POST", "/v2/users/login/", object{"username": "alice", "password": "correct horse"}).want(200).into(&old)
	var session struct {
		AccessToken string `json:"access_token"`
	}
	k.do("", "POST", "/v2/auth/token", object{"identifier": "alice", "secret": "correct horse"}).want(200).into(&session)
	wrong := k.do("", "POST", "/v2/users/login", object{"username": "alice", "password": "wrong"}).want(401)
	if !strings.Contains(wrong.Body.String(), `"message"`) || strings.Contains(wrong.Body.String(), "wrong\"") {
		t.Errorf("a wrong password: %s", wrong.Body)
	}
	k.do("", "POST", "/v2/users/login", `["alice"]`).want(400)
	for _, authorization := range []string{"JWT " + old.Token, "Bearer " + session.AccessToken} {
		var me struct{ Username, Type string }
		k.do("", "GET", "/v2/user/", nil, "Authorization", authorization).want(200).into(&me)
		if me.Username != "alice" || me.Type != "User" {
			t.Errorf("%s…: %+v", authorization[:6], me)
		}
	}
	as := func(method, path string, body any) answer {
		return k.do("", method, path, body, "Authorization", "JWT "+old.Token)
	}
	made := as("POST", "/v2/repositories/", object{"namespace": "alice", "name": "app", "description": "An app", "full_description": "# App", "is_private": true, "registry": "docker"}).want(201)
	if made.Header().Get("Hubledger-Sequence") == "" {
		t.Error("a change without its sequence")
	}
	as("POST", "/v2/repositories", object{"namespace": "alice", "name": "bad", "description": strings.Repeat("x", 101)}).want(400)
	as("GET", "/v2/repositories/alice/bad", nil).want(404)
	k.do("", "GET", "/v2/repositories/alice/app/", nil).want(404)
	as("POST", "/v2/repositories/alice/app/privacy/", object{"is_private": false}).want(200)
	as("PATCH", "/v2/namespaces/alice/repositories/app", object{"full_description": "# New"}).want(200)
	var repo struct {
		Name, Namespace, Description string
		FullDescription              string `json:"full_description"`
		IsPrivate                    bool   `json:"is_private"`
		Official                     bool
	}
	k.do("", "GET", "/v2/repositories/alice/app/", nil).want(200).into(&repo)
	if repo.Name != "app" || repo.Namespace != "alice" || repo.Description != "An app" || repo.FullDescription != "# New" || repo.IsPrivate || repo.Official {
		t.Errorf("%+v", repo)
	}
	client := k.Client()
	for _, tag := range []string{"1.0", "1.1", "2.0"} {
		client.MustPush(t, "alice/app", tag, registrytest.NewImage(tag))
	}
	var tags struct {
		Count          int
		Next, Previous *string
		Results        []struct {
			Name   string
			Images []struct {
				Architecture, OS, Digest string
				Size                     int64
				LastPushed               string `json:"last_pushed"`
			}
		}
	}
	k.do("", "GET", "/v2/repositories/alice/app/tags/?page_size=2", nil).want(200).into(&tags)
	if tags.Count != 3 || len(tags.Results) != 2 || tags.Results[0].Name != "2.0" || tags.Next == nil || tags.Previous != nil ||
		tags.Results[0].Images[0].OS != "linux" || tags.Results[0].Images[0].LastPushed == "" || !strings.HasPrefix(*tags.Next, "http://example.com/v2/") {
		t.Errorf("%+v", tags)
	}
	k.do("", "GET", *tags.Next, nil).want(200).into(&tags)
	if len(tags.Results) != 1 || tags.Results[0].Name != "1.0" || tags.Next != nil || tags.Previous == nil {
		t.Errorf("the second page %+v", tags)
	}
	k.do("", "GET", "/v2/namespaces/alice/repositories/app/tags?page_size=0", nil).want(400)
	k.do("", "DELETE", "/v2/repositories/alice/app/tags/1.0/", nil).want(401)
	as("DELETE", "/v2/repositories/alice/app/tags/1.0/", nil).want(204)
	k.do("", "GET", "/v2/namespaces/alice/repositories/app/tags/1.0", nil).want(404)
	as("DELETE", "/v2/repositories/alice/app/", nil).want(202)
	k.do("", "GET", "/v2/repositories/alice/app/", nil).want(404)
}

// docker search as docker sends it: a ping, then the search, with an empty
// Basic when it has no login.
func TestDockerSearch(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.do("operator", "POST", "/api/v1/repositories", object{"name": "busybox", "visibility": "public"}).want(201)
	k.do("alice", "POST", "/api/v1/repositories", object{"name": "alice/busybox-tools"}).want(201)
	if a := k.do("", "GET", "/v1/_ping", nil).want(200); a.Header().Get("X-Docker-Registry-Standalone") != "true" {
		t.Errorf("ping: %v", a.Header())
	}
	for _, c := range []struct {
		as, query string
		header    []string
		want      int
	}{
		{"", "q=busybox&n=25", nil, 1}, {"", "q=busybox", []string{"Authorization", "Basic Og=="}, 1}, {"", "q=library/busybox", nil, 1},
		{"", "q=example.com/busybox", nil, 1}, {"alice", "q=busybox", nil, 2}, {"alice", "q=busybox&n=1", nil, 1}, {"alice", "q=busybox&n=1000", nil, 2}, {"", "q=nothing-like-it", nil, 0},
	} {
		var found struct {
			NumResults int `json:"num_results"`
			Results    []struct {
				Name       string
				IsOfficial bool `json:"is_official"`
			}
		}
		k.do(c.as, "GET", "/v1/search?"+c.query, nil, append(c.header, "X-Docker-Token", "true")...).want(200).into(&found)
		if len(found.Results) != c.want || found.NumResults != c.want {
			t.Errorf("%s as %q: %+v", c.query, c.as, found)
		}
		for _, r := range found.Results {
			if r.IsOfficial != (r.Name == "busybox") {
				t.Errorf("%s is official: %v", r.Name, r.IsOfficial)
			}
		}
	}
	// podman sends no login here: it comes back by way of the catalog.
	k.do("", "GET", "/v1/search?q=busybox", nil).want(401)
	k.do("", "GET", "/v1/search?q=x&n=0", nil, "X-Docker-Token", "true").want(400)
	k.do("", "GET", "/v1/search?q=x", nil, "Authorization", "Bearer nonsense").want(401)
}

// A name of many components is found however its slashes are written, and the
// shortest reading counts.
func TestNamesOfManyComponents(t *testing.T) {
	k := start(t)
	k.user("team")
	for _, name := range []string{"team/group/app", "team/group", "team/group/tags/app", "team/tags"} {
		k.do("team", "POST", "/api/v1/repositories", object{"name": name, "visibility": "public"}).want(201)
	}
	k.Client().MustPush(t, "team/group", "app", registrytest.NewImage("x"))
	k.CatchUp()
	name := func(path string) string {
		var v struct{ Name, Namespace string }
		k.do("", "GET", path, nil).want(200).into(&v)
		return strings.TrimPrefix(v.Namespace+"/"+v.Name, "/")
	}
	for path, want := range map[string]string{
		"/api/v1/repositories/team/group/app":              "team/group/app",
		"/api/v1/repositories/team/group%2Fapp":            "team/group/app",
		"/api/v1/repositories/team/group":                  "team/group",
		"/api/v1/repositories/team/tags":                   "team/tags",
		"/api/v1/repositories/team/group%2Ftags%2Fapp":     "team/group/tags/app",
		"/api/v1/repositories/team/group/tags/app":         "app", // the tag
		"/v2/repositories/team/group/app/":                 "team/group/app",
		"/v2/namespaces/team/repositories/group%2fapp":     "team/group/app",
		"/v2/namespaces/team/repositories/group/tags/app/": "app",
	} {
		if got := name(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"/api/v1/repositories/team/..%2Fteam%2Fgroup", "/api/v1/repositories/team/" + strings.Repeat("a/", 200) + "b", "/api/v1/nothing"} {
		k.do("", "GET", path, nil).want(404)
	}
	k.do("", "GET", "/api/v1/repositories/team/%00", nil).want(400)
}

// Of what is below /v2/ the API has its own paths, and the registry the rest.
func TestPathsOfTheRegistry(t *testing.T) {
	k := start(t)
	services := []service.Service{k.service("api"), k.service("registry")}
	for n := range services {
		s := &services[n]
		s.Routes = slices.Clone(s.Routes)
		for k := range s.Routes {
			s.Routes[k].Serve = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s.Name) }
		}
		s.NotServed = func(w http.ResponseWriter, _ *http.Request, _ int, _ string) { fmt.Fprint(w, s.Name) }
	}
	router, err := service.NewRouter(services, func(w http.ResponseWriter, _ *http.Request, _ int, _ string) {})
	check(t, err)
	for path, want := range map[string]bool{
		"/api/v1/user": true, "/api/v1": true, "/v1/search": true, "/v2/users/login": true, "/v2/auth/token": true, "/v2/repositories/a/b": true,
		"/v2/namespaces/a/repositories": true, "/v2/orgs/acme": true, "/v2/user": true, "/v2/user/": true, "/v2/search/repositories": true,
		"/v2/": false, "/v2": false, "/v2/alice/app/manifests/latest": false, "/v2/orgs/manifests/latest": false, "/v2/search/tags/list": false,
		"/v2/user/app/tags/list": false, "/v2/usersx/app/tags/list": false, "/api/v10": true /* a refusal */, "/v2/orgs/tags/list": false, "/": false,
	} {
		w := httptest.NewRecorder()
		router.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if got := w.Body.String() == "api"; got != want {
			t.Errorf("%s: %q", path, w.Body)
		}
	}
}
