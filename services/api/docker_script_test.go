package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hubledger/services/registry/registrytest"
)

// A script is what people run against Docker Hub: it knows the base URL, a
// login and the shapes of Docker Hub, and nothing of the hub's own API.
type script struct {
	kit   *kit
	token string
}

func (s *script) do(method, url string, body any) answer {
	s.kit.t.Helper()
	return s.kit.do("", method, url, body, "Authorization", "JWT "+s.token)
}

type scriptTag struct {
	Name        string    `json:"name"`
	LastUpdated time.Time `json:"last_updated"`
	Digest      string    `json:"digest"`
}

// each follows the links to the next page until there is none.
func each[T any](s *script, url string, do func(T)) (pages int) {
	s.kit.t.Helper()
	for url != "" {
		var page struct {
			Count   int     `json:"count"`
			Next    *string `json:"next"`
			Results []T     `json:"results"`
		}
		s.do("GET", url, nil).want(200).into(&page)
		for _, r := range page.Results {
			do(r)
		}
		if pages++; page.Next == nil {
			return pages
		}
		url = *page.Next
	}
	return pages
}

// A clean-up script for Docker Hub: log in the old way, go through the
// repositories and through their tags page by page, keep the three newest and
// latest, and delete the others.
func TestDockerHubCleanUpScript(t *testing.T) {
	k := start(t)
	k.do("operator", "POST", "/api/v1/users", object{"name": "alice", "password": "correct horse"}).want(201)
	k.user("bob")
	k.do("bob", "POST", "/api/v1/repositories", object{"name": "bob/app", "visibility": "public"}).want(201)
	client := k.Client()
	const releases = 104
	image := registrytest.NewImage("content")
	for n := range releases {
		client.MustPush(t, "alice/app", fmt.Sprintf("1.%d", n), image)
	}
	client.MustPush(t, "alice/app", "latest", image)
	for n := range 11 {
		client.MustPush(t, fmt.Sprintf("alice/tool-%d", n), "only", image)
	}
	k.CatchUp()

	s := &script{kit: k}
	var login struct{ Token string }
	k.do("", "POST", "/v2/users/login/", object{"username": "alice", "password": "correct horse"}).want(200).into(&login)
	s.token = login.Token
	var repositories []string
	if pages := each(s, "/v2/repositories/alice/", func(r struct{ Namespace, Name string }) {
		repositories = append(repositories, r.Namespace+"/"+r.Name)
	}); pages != 2 || len(repositories) != 12 {
		t.Fatalf("%d pages of %v", pages, repositories)
	}
	deleted := 0
	for _, repo := range repositories {
		var tags []scriptTag
		pages := each(s, "/v2/repositories/"+repo+"/tags/?page_size=100&ordering=last_updated", func(t scriptTag) { tags = append(tags, t) })
		if repo == "alice/app" && (pages != 2 || len(tags) != releases+1) {
			t.Fatalf("%d pages with %d tags", pages, len(tags))
		}
		kept := 0
		for k, tag := range tags {
			if k > 0 && tag.LastUpdated.After(tags[k-1].LastUpdated) {
				t.Fatalf("%s comes behind %s", tag.Name, tags[k-1].Name)
			}
			if tag.Name == "latest" {
				continue
			}
			if kept++; kept > 3 {
				s.do("DELETE", "/v2/repositories/"+repo+"/tags/"+tag.Name+"/", nil).want(204)
				deleted++
			}
		}
	}
	if deleted != releases-3 {
		t.Errorf("%d tags were deleted", deleted)
	}
	var left []string
	each(s, "/v2/namespaces/alice/repositories/app/tags?page_size=1000&ordering=name", func(t scriptTag) { left = append(left, t.Name) })
	if want := "1.101 1.102 1.103 latest"; strings.Join(left, " ") != want {
		t.Errorf("left are %v, want %s", left, want)
	}
}

// Whether a tag is there is asked by HEAD, and lists are narrowed by name.
func TestDockerHubTagsByName(t *testing.T) {
	k := start(t)
	k.user("alice")
	for _, name := range []string{"alice/app", "alice/web-app", "alice/tool"} {
		k.do("alice", "POST", "/api/v1/repositories", object{"name": name, "visibility": "public"}).want(201)
	}
	for _, tag := range []string{"v1", "v1-Alpine", "v2", "v2-alpine"} {
		k.Client().MustPush(t, "alice/app", tag, registrytest.NewImage(tag))
	}
	for _, base := range []string{"/v2/repositories/alice/app/tags/", "/v2/namespaces/alice/repositories/app/tags/"} {
		if a := k.do("", "HEAD", base+"v1", nil).want(200); a.Body.Len() != 0 {
			t.Errorf("a HEAD is answered %q", a.Body)
		}
		k.do("", "HEAD", base+"v3/", nil).want(404)
		k.do("", "HEAD", base+"%00", nil).want(400)
		k.do("", "HEAD", strings.TrimSuffix(base, "/"), nil).want(200)
	}
	s := &script{kit: k}
	s.token = k.tokens["alice"]
	for query, want := range map[string]string{
		"name=alpine&ordering=name": "v1-Alpine v2-alpine", "name=v2": "v2-alpine v2", "ordering=-name": "v2-alpine v2 v1-Alpine v1", "name=v_": "",
		"ordering=last_updated": "v2-alpine v2 v1-Alpine v1", "ordering=-last_updated": "v2-alpine v2 v1-Alpine v1", "ordering=nonsense&page_size=1": "v2-alpine v2 v1-Alpine v1",
	} {
		var got []string
		each(s, "/v2/repositories/alice/app/tags?"+query, func(t scriptTag) { got = append(got, t.Name) })
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
	var names []string
	each(s, "/v2/repositories/alice/?name=App&ordering=name", func(r struct{ Name string }) { names = append(names, r.Name) })
	if strings.Join(names, " ") != "app web-app" {
		t.Errorf("repositories %v", names)
	}
	// Behind the last page there is none, so that scripts that count end.
	s.do("GET", "/v2/repositories/alice/app/tags?page=1&page_size=10000", nil).want(200)
	s.do("GET", "/v2/repositories/alice/app/tags?page=2&page_size=100", nil).want(404)
	s.do("GET", "/v2/repositories/alice/app/tags?page=x", nil).want(400)
	s.do("GET", "/v2/repositories/alice/app/tags?page_size=99999999999", nil).want(400)
	s.do("GET", "/v2/repositories/nobody/?page=1", nil).want(200)
}
