package dockerhub

import (
	"net/http"
	"strconv"
	"strings"

	"hubledger/projections/catalog"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/origin"
	"hubledger/services/internal/repository"
)

// found is one result of GET /v2/search/repositories.
type found struct {
	RepoName         string `json:"repo_name"`
	ShortDescription string `json:"short_description"`
	StarCount        int64  `json:"star_count"`
	PullCount        int64  `json:"pull_count"`
	RepoOwner        string `json:"repo_owner"`
	IsAutomated      bool   `json:"is_automated"`
	IsOfficial       bool   `json:"is_official"`
}

// searchAnswer is that of GET /v1/search, as docker search reads it.
type searchAnswer struct {
	Query      string         `json:"query"`
	NumResults int            `json:"num_results"`
	Results    []searchResult `json:"results"`
}

type searchResult struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	StarCount   int64  `json:"star_count"`
	IsOfficial  bool   `json:"is_official"`
	IsAutomated bool   `json:"is_automated"`
}

func (s *Endpoints) registerSearch() {
	s.add(http.MethodGet, "/v2/search/repositories", access.Anyone, budget.Search, s.search)
	s.add(http.MethodGet, "/v1/_ping", access.Open, budget.Light, ping)
	s.add(http.MethodGet, "/v1/search", access.Anyone, budget.Search, s.searchV1)
}

// ping tells docker that this registry can search.
func ping(w http.ResponseWriter, _ *http.Request, _ *endpoint.Call) (int, any, error) {
	w.Header().Set("X-Docker-Registry-Standalone", "true")
	return http.StatusOK, map[string]bool{"standalone": true}, nil
}

func (s *Endpoints) search(_ http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	p, err := pagingOf(r)
	if err != nil {
		return 0, nil, err
	}
	list, total, err := s.find(r, c, r.URL.Query().Get("query"), p.offset(), p.size)
	if err != nil {
		return 0, nil, err
	}
	results := make([]found, len(list))
	for i, e := range list {
		results[i] = found{RepoName: e.Name, ShortDescription: e.Description, StarCount: e.Stars, PullCount: e.Pulls, IsOfficial: official(e)}
	}
	return p.pageOf(r, total, results)
}

// tokenHeader is a header that docker sends with every search, also without a login.
const tokenHeader = "X-Docker-Token"

// searchV1 refuses podman and skopeo, which never send a login here and would take
// the public repositories for all. Once refused they list the registry's
// catalog, with their login if they have one.
func (s *Endpoints) searchV1(_ http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	if c.Principal.Kind == access.Anonymous && r.Header.Get("Authorization") == "" && r.Header.Get(tokenHeader) == "" {
		return 0, nil, endpoint.Unauthorized("this search needs a login; /api/v1/search and /v2/_catalog need none")
	}
	q, n := r.URL.Query().Get("q"), 25
	if text := r.URL.Query().Get("n"); text != "" {
		asked, err := strconv.Atoi(text)
		if err != nil || asked < 1 {
			return 0, nil, endpoint.Fail(http.StatusBadRequest, "n is a number from 1 to 100")
		}
		n = min(asked, 100)
	}
	list, _, err := s.find(r, c, q, 0, n)
	if err != nil {
		return 0, nil, err
	}
	out := searchAnswer{Query: q, NumResults: len(list), Results: make([]searchResult, len(list))}
	for i, e := range list {
		out.Results[i] = searchResult{Name: e.Name, Description: e.Description, StarCount: e.Stars, IsOfficial: official(e)}
	}
	return http.StatusOK, out, nil
}

func official(e catalog.Entry) bool { return !strings.Contains(e.Name, "/") }

// find searches what the principal may see.
func (s *Endpoints) find(r *http.Request, c *endpoint.Call, text string, offset, n int) ([]catalog.Entry, int, error) {
	q := catalog.Query{Text: term(text, origin.Of(r).Host), Offset: offset, Limit: min(n, catalog.MaxWindow-offset)}
	if q.Limit <= 0 {
		return nil, 0, nil
	}
	return s.Browse.Search(r.Context(), c.Principal, q)
}

// term is the text to search for without what surrounds the name in a reference:
// the host, or the namespace of top-level images, which docker adds, and a tag or
// digest.
func term(text, host string) string {
	text = strings.TrimSpace(text)
	text = strings.TrimPrefix(text, host+"/")
	if first, rest, ok := strings.Cut(text, "/"); ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		text = rest
	}
	text, _, _ = strings.Cut(text, "@")
	if at := strings.LastIndexByte(text, ':'); at > strings.LastIndexByte(text, '/') && repository.ValidTag(text[at+1:]) {
		text = text[:at]
	}
	return strings.TrimPrefix(text, access.Library+"/")
}
