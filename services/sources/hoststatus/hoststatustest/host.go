// Package hoststatustest is a git host that takes statuses of commits, by the API of each
// kind as it is documented: what is written otherwise it refuses, as the host does.
package hoststatustest

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A Sent is a status that the host took.
type Sent struct {
	Path    string // escaped
	Context string // or key
	State   string // as the host calls it
	Body    map[string]string
}

// An API is what a kind of host wants of a request.
type api struct {
	path          *regexp.Regexp // escaped, with the host in front
	authorization string         // %s is the token
	headers       map[string]string
	states        []string
	fields        []string // that are required
	optional      []string
	context       string // the field that tells statuses apart
	maxContext    int
	maxText       int // description
	answer        int
}

const commit = `[0-9a-f]{40}([0-9a-f]{24})?`

var apis = map[string]api{
	// https://docs.github.com/rest/commits/statuses#create-a-commit-status
	"github": {path: regexp.MustCompile(`^(api\.github\.com|[^/]+/api/v3)/repos/[^/]+/[^/]+/statuses/` + commit + `$`), authorization: "Bearer %s",
		headers: map[string]string{"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
		states:  []string{"error", "failure", "pending", "success"}, fields: []string{"state"}, optional: []string{"target_url", "description", "context"},
		context: "context", maxContext: 255, maxText: 140, answer: http.StatusCreated},
	// https://docs.gitlab.com/api/commits/#set-commit-pipeline-status
	"gitlab": {path: regexp.MustCompile(`^[^/]+/api/v4/projects/[^/]+%2F[^/]+/statuses/` + commit + `$`), authorization: "Bearer %s",
		states: []string{"pending", "running", "success", "failed", "canceled", "skipped"}, fields: []string{"state"}, optional: []string{"ref", "name", "target_url", "description"},
		context: "name", maxContext: 255, maxText: 255, answer: http.StatusCreated},
	// https://codeberg.org/api/swagger#/repository/repoCreateStatus
	"gitea": {path: regexp.MustCompile(`^[^/]+(/[^/]+)*/api/v1/repos/[^/]+/[^/]+/statuses/` + commit + `$`), authorization: "token %s",
		states: []string{"pending", "success", "error", "failure", "warning"}, fields: []string{"state"}, optional: []string{"target_url", "description", "context"},
		context: "context", maxContext: 255, maxText: 255, answer: http.StatusCreated},
	// https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/
	"bitbucket": {path: regexp.MustCompile(`^api\.bitbucket\.org/2\.0/repositories/[^/]+/[^/]+/commit/` + commit + `/statuses/build$`), authorization: "Bearer %s",
		states: []string{"SUCCESSFUL", "FAILED", "INPROGRESS", "STOPPED"}, fields: []string{"key", "state", "url"}, optional: []string{"name", "description", "refname"},
		context: "key", maxContext: 40, maxText: 255, answer: http.StatusCreated},
	// https://developer.atlassian.com/server/bitbucket/how-tos/updating-build-status-for-commits/
	"bitbucket-server": {path: regexp.MustCompile(`^[^/]+(/[^/]+)*/rest/build-status/1\.0/commits/` + commit + `$`), authorization: "Bearer %s",
		states: []string{"SUCCESSFUL", "FAILED", "INPROGRESS"}, fields: []string{"state", "key", "url"}, optional: []string{"name", "description"},
		context: "key", maxContext: 255, maxText: 255, answer: http.StatusNoContent},
}

// A Host is one git host of a kind.
type Host struct {
	*httptest.Server
	Kind, Token string

	mu    sync.Mutex
	sent  []Sent
	fault func(w http.ResponseWriter, r *http.Request) bool
}

// New serves a kind of host over TLS. What is no request for a status goes to other, which
// may be nil.
func New(t testing.TB, kind, token string, other http.Handler) *Host {
	t.Helper()
	h := &Host{Kind: kind, Token: token}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if other != nil && !strings.Contains(r.URL.Path, "/status") && !strings.Contains(r.URL.Path, "/build-status/") {
			other.ServeHTTP(w, r)
			return
		}
		h.serve(w, r)
	}))
	t.Cleanup(h.Server.Close)
	return h
}

// Trust writes the certificate of a server to a file, for SSL_CERT_FILE.
func Trust(t testing.TB, s *httptest.Server) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// Fault is asked before each request is looked at: when it is true it has answered. Nil
// for none.
func (h *Host) Fault(fault func(w http.ResponseWriter, r *http.Request) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault = fault
}

// Sent are the statuses that the host took, in their order.
func (h *Host) Sent() []Sent {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.sent)
}

// States are those of a commit and a context, in their order, each once in a row.
func (h *Host) States(commit, context string) (states []string) {
	for _, s := range h.Sent() {
		if strings.Contains(s.Path, commit) && s.Context == context {
			states = append(states, s.State)
		}
	}
	return slices.Compact(states)
}

func (h *Host) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	fault := h.fault
	h.mu.Unlock()
	if fault != nil && fault(w, r) {
		return
	}
	a := apis[h.Kind]
	refuse := func(status int, text string) { http.Error(w, text, status) }
	path := r.Host + r.URL.EscapedPath()
	if r.Method != http.MethodPost || !a.path.MatchString(path) || r.URL.RawQuery != "" {
		refuse(http.StatusNotFound, fmt.Sprintf(`{"message":"no such endpoint: %s %s"}`, r.Method, path))
		return
	}
	if got := r.Header.Get("Authorization"); got != fmt.Sprintf(a.authorization, h.Token) {
		refuse(http.StatusUnauthorized, fmt.Sprintf(`{"message":"Bad credentials: %s"}`, got))
		return
	}
	for name, want := range a.headers {
		if r.Header.Get(name) != want {
			refuse(http.StatusUnsupportedMediaType, `{"message":"header `+name+`"}`)
			return
		}
	}
	raw, err := io.ReadAll(r.Body)
	var body map[string]string
	if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("User-Agent") == "" || err != nil || json.Unmarshal(raw, &body) != nil {
		refuse(http.StatusBadRequest, `{"message":"not JSON of texts"}`)
		return
	}
	if what := a.wrong(body); what != "" {
		refuse(http.StatusUnprocessableEntity, `{"message":"`+what+`"}`)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Sent{path, body[a.context], body["state"], body}
	if why := h.stuck(s); why != "" {
		refuse(http.StatusBadRequest, `{"message":"`+why+`"}`)
		return
	}
	h.sent = append(h.sent, s)
	w.WriteHeader(a.answer)
	if a.answer != http.StatusNoContent {
		w.Write(raw)
	}
}

// stuck is why GitLab does not take a status: of those that go on it takes only a later one.
func (h *Host) stuck(s Sent) string {
	if h.Kind != "gitlab" {
		return ""
	}
	for _, was := range slices.Backward(h.sent) {
		if was.Path != s.Path || was.Context != s.Context {
			continue
		}
		via := map[string]string{"pending": "enqueue", "running": "run"}[s.State]
		if via != "" && (was.State == s.State || was.State == "running") {
			return "Cannot transition status via :" + via + " from :" + was.State + ` (Reason(s): Status cannot transition via \"` + via + `\")`
		}
		return ""
	}
	return ""
}

// wrong is what is wrong with a body, "" for nothing.
func (a api) wrong(body map[string]string) string {
	for _, f := range a.fields {
		if body[f] == "" {
			return f + " is missing"
		}
	}
	for f := range body {
		if !slices.Contains(a.fields, f) && !slices.Contains(a.optional, f) {
			return "there is no field " + f
		}
	}
	switch {
	case !slices.Contains(a.states, body["state"]):
		return "there is no state " + body["state"]
	case body[a.context] == "" || len(body[a.context]) > a.maxContext:
		return a.context + " is too long"
	case len([]rune(body["description"])) > a.maxText:
		return "description is too long"
	}
	return ""
}
