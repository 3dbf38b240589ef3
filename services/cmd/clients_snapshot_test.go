package cmd

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/cmd/console"
)

// manifestTypes are what containerd and docker accept.
var manifestTypes = []string{
	"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json",
	v1.MediaTypeImageManifest, v1.MediaTypeImageIndex, "*/*"}

// A reply is a response with its body.
type reply struct {
	url    *url.URL
	status int
	header http.Header
	body   []byte
}

// ask sends a request as the administrator, unless header has another Authorization.
func ask(t testing.TB, method, url string, body io.Reader, header http.Header) reply {
	t.Helper()
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", adminPassword)
	maps.Copy(req.Header, header)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return reply{req.URL, resp.StatusCode, resp.Header, content}
}

func get(t testing.TB, url string, status int) reply {
	t.Helper()
	r := ask(t, "GET", url, nil, http.Header{"Accept": manifestTypes})
	if r.status != status {
		t.Fatalf("GET %s: %d, want %d\n%s", url, r.status, status, r.body)
	}
	return r
}

func head(t testing.TB, h *hubProcess, repo, ref string) reply {
	t.Helper()
	url := h.URL + "/v2/" + repo + "/manifests/" + ref
	r := ask(t, "HEAD", url, nil, http.Header{"Accept": manifestTypes})
	if r.status != http.StatusOK {
		t.Fatalf("HEAD %s: %d", url, r.status)
	}
	return r
}

// A snapshot has a hub's answers by path: everything that can be reached from its
// catalog, and its log.
type snapshot struct {
	t       testing.TB
	hub     *hubProcess
	answers map[string]string
}

// take takes a snapshot. gone are paths that must answer 404.
func take(t testing.TB, h *hubProcess, gone []string) *snapshot {
	t.Helper()
	s := &snapshot{t, h, map[string]string{}}
	catalog := decode[struct{ Repositories []string }](t, string(s.get("/v2/_catalog?n=1000").body))
	for _, repo := range catalog.Repositories {
		tags := decode[struct{ Tags []string }](t, string(s.get("/v2/"+repo+"/tags/list").body))
		for _, tag := range tags.Tags {
			r := s.get("/v2/" + repo + "/manifests/" + tag)
			s.manifest(repo, digest.Digest(r.header.Get("Docker-Content-Digest")))
		}
	}
	for _, path := range gone {
		if r := s.get(path); r.status != http.StatusNotFound {
			t.Errorf("GET %s: %d, but it was deleted", path, r.status)
		}
	}
	for _, command := range []string{"events ls --after 0 --limit 10000", "repos ls", "repos ls --deleted"} {
		stdout, stderr, code := h.Run(append([]string{"--json"}, strings.Fields(command)...)...)
		if code != console.ExitOK {
			t.Fatalf("%s: exit %d, %s", command, code, stderr)
		}
		s.answers[command] = stdout
	}
	return s
}

func (s *snapshot) get(path string) reply {
	s.t.Helper()
	r := ask(s.t, "GET", s.hub.URL+path, nil, http.Header{"Accept": manifestTypes})
	header := r.header.Clone()
	header.Del("Date")
	s.answers["GET "+path] = fmt.Sprintf("%d %v %x", r.status, header, sha256.Sum256(r.body))
	return r
}

// manifest follows a manifest to its children, its blobs and its referrers.
func (s *snapshot) manifest(repo string, d digest.Digest) {
	s.t.Helper()
	path := "/v2/" + repo + "/manifests/" + d.String()
	if _, seen := s.answers["GET "+path]; seen {
		return
	}
	r := s.get(path)
	if r.status != http.StatusOK || digest.FromBytes(r.body) != d {
		s.t.Errorf("GET %s: %d, %d bytes that are %s", path, r.status, len(r.body), digest.FromBytes(r.body))
		return
	}
	var m struct {
		Manifests []v1.Descriptor
		Config    *v1.Descriptor
		Layers    []v1.Descriptor
	}
	if err := json.Unmarshal(r.body, &m); err != nil {
		s.t.Fatal(err)
	}
	for _, child := range m.Manifests {
		s.manifest(repo, child.Digest)
	}
	if m.Config != nil {
		m.Layers = append(m.Layers, *m.Config)
	}
	for _, blob := range m.Layers {
		r := s.get("/v2/" + repo + "/blobs/" + blob.Digest.String())
		if r.status != http.StatusOK || digest.FromBytes(r.body) != blob.Digest {
			s.t.Errorf("blob %s of %s: %d, %d bytes", blob.Digest, repo, r.status, len(r.body))
		}
	}
	referrers := decode[v1.Index](s.t, string(s.get("/v2/"+repo+"/referrers/"+d.String()).body))
	for _, referrer := range referrers.Manifests {
		s.manifest(repo, referrer.Digest)
	}
}

// equal compares two snapshots and lists what differs.
func (s *snapshot) equal(other *snapshot) {
	s.t.Helper()
	for _, path := range slices.Sorted(maps.Keys(s.answers)) {
		if got, ok := other.answers[path]; !ok || got != s.answers[path] {
			s.t.Errorf("%s\nwas %s\nnow %s", path, s.answers[path], got)
		}
	}
	for path := range other.answers {
		if _, ok := s.answers[path]; !ok {
			s.t.Errorf("%s was not there before", path)
		}
	}
}
