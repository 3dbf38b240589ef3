package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hubledger/services/internal/account"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server/servertest"
)

// words are the components of paths of the hub's APIs that may also be one of a
// repository's name, alone or together.
var words = []string{"manifests", "blobs", "uploads", "tags", "list", "tags/list", "blobs/uploads", "manifests/tags", "referrers", "repositories",
	"namespaces", "users", "auth", "orgs", "user", "token", "search", "search/repositories", "library", "grants", "policy", "privacy", "cleanup",
	"preview", "readme", "star", "starred", "restore", "deleted", "usage", "quota", "api", "v1", "v2", "api/v1/repositories"}

// A word of the APIs at any place of a name is a part of that name: each API finds
// the repository, its tag of that name, and no other.
func TestWordsOfTheAPIsInNames(t *testing.T) {
	n := run(t)
	admin := n.Account(servertest.Admin)
	organize := func(name string) bool {
		if account.CheckName(name) != nil {
			return false // it cannot be the first component of a name
		}
		_, seq, err := account.CreateOrganization(t.Context(), n.Log(), servertest.By, name, admin.ID)
		n.Done(seq, err)
		return true
	}
	organize("acme")
	client := n.Client()
	for _, word := range words {
		names := []string{"acme/" + word, "acme/" + word + "/app", "acme/app/" + word}
		if organize(word) {
			names = append(names, word+"/app", word+"/"+word)
			for path, status := range map[string]int{"/api/v1/orgs/" + word: 200, "/api/v1/namespaces/" + word + "/quota": 200, "/v2/orgs/" + word: 200, "/v2/repositories/" + word: 200} {
				if r := ask(t, "GET", n.URL+path, nil, nil); r.status != status {
					t.Errorf("%s: %d %s", path, r.status, r.body)
				}
			}
		}
		tag := word[strings.LastIndexByte(word, '/')+1:]
		for _, name := range names {
			client.MustPush(t, name, tag, registrytest.NewImage(name))
		}
		for _, name := range names {
			t.Run(name, func(t *testing.T) { findByEachAPI(t, n, client, name, tag) })
		}
	}
}

func findByEachAPI(t *testing.T, n *servertest.Server, client *registrytest.Client, name, tag string) {
	image := registrytest.NewImage(name)
	if d, err := client.Pull(name, tag); err != nil || d != image.Digest() {
		t.Errorf("pull: %s, %v", d, err)
	}
	namespace, rest, _ := strings.Cut(name, "/")
	escaped := namespace + "/" + url.PathEscape(rest)
	hub, twice := "/v2/repositories/"+escaped, "/v2/namespaces/"+namespace+"/repositories/"+url.PathEscape(rest)
	api := "/api/v1/repositories/" + escaped
	for path, wants := range map[string][]string{
		"/v2/" + name + "/tags/list":                            {`"name":"` + name + `"`, `"tags":["` + tag + `"]`},
		"/v2/" + name + "/referrers/" + image.Digest().String(): {`"manifests":[]`},
		hub + "/":                            {`"name":"` + rest + `"`, `"namespace":"` + namespace + `"`},
		twice:                                {`"name":"` + rest + `"`},
		hub + "/tags/":                       {`"count":1`, `"name":"` + tag + `"`},
		hub + "/tags/" + tag + "/":           {`"name":"` + tag + `"`, image.Digest().String()},
		twice + "/tags/" + tag:               {`"name":"` + tag + `"`, image.Digest().String()},
		api:                                  {`"name":"` + name + `"`},
		api + "/policy":                      {`"immutableTags"`},
		api + "/grants":                      {`"items":[]`},
		api + "/tags":                        {`"name":"` + tag + `"`},
		api + "/tags/" + tag:                 {image.Digest().String()},
		"/v1/search?n=100&q=" + name:         {`"name":"` + name + `"`},
		"/api/v1/search?limit=100&q=" + name: {`"name":"` + name + `"`},
		// Docker Hub's names are not escaped. A tag's path is as long as it can be read.
		"/v2/repositories/" + name + "/tags/" + tag: {`"name":"` + tag + `"`, image.Digest().String()},
	} {
		header := http.Header{}
		if strings.HasPrefix(path, "/v1/") {
			header.Set("X-Docker-Token", "true")
		}
		r := ask(t, "GET", n.URL+path, nil, header)
		for _, want := range wants {
			if r.status != http.StatusOK || !strings.Contains(string(compact(r.body)), want) {
				t.Errorf("%s: %d %s, want %s", path, r.status, r.body, want)
			}
		}
	}
	// What a client deletes is that tag.
	r := ask(t, "DELETE", n.URL+hub+"/tags/"+tag, nil, nil)
	if r.status != http.StatusNoContent {
		t.Errorf("delete the tag: %d %s", r.status, r.body)
	}
	if _, err := client.Pull(name, tag); registrytest.Refused(err) != http.StatusNotFound {
		t.Errorf("pull what was deleted: %v", err)
	}
}

// compact is JSON without spaces between its parts.
func compact(body []byte) []byte {
	var v json.RawMessage
	if json.Unmarshal(body, &v) != nil {
		return body
	}
	out, err := json.Marshal(v)
	if err != nil {
		return fmt.Append(nil, err)
	}
	return out
}
