package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"hubledger/projections/images"
	"hubledger/services/internal/budget"
	"hubledger/services/registry/cache"
)

// maxPage is the most entries that one page of a list has, however many were
// asked for.
const maxPage = 10_000

// send answers with a list.
func send(w http.ResponseWriter, l *cache.List) error {
	h := w.Header()
	h["Content-Type"] = []string{l.MediaType}
	h["Content-Length"] = []string{strconv.Itoa(len(l.Body))}
	if l.Link != "" {
		h["Link"] = []string{l.Link}
	}
	if l.Filters != "" {
		h["OCI-Filters-Applied"] = []string{l.Filters}
	}
	_, err := w.Write(l.Body)
	return ignoreGone(err)
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

func writeJSON(w http.ResponseWriter, mediaType string, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	return send(w, &cache.List{Body: body, MediaType: mediaType})
}

// cached answers from the cache, or reads the list and keeps it there. The whole
// query is the key.
func (s *Registry) cached(w http.ResponseWriter, r *http.Request, repo, what string, read func(ctx context.Context) (*cache.List, error)) error {
	key := what + "?" + r.URL.RawQuery
	if l, ok := s.cache.List(repo, key); ok {
		return send(w, l)
	}
	if err := budget.Of(r.Context()).Work(r.Context()); err != nil {
		return err
	}
	f := s.cache.Begin(repo)
	l, err := read(r.Context())
	if err != nil {
		return err
	}
	s.cache.SetList(f, key, l)
	if len(l.Body) > maxShared {
		if err := budget.Of(r.Context()).Hold(int64(len(l.Body))); err != nil {
			return err
		}
	}
	return send(w, l)
}

// page parses the parameters n and last (distribution-spec, "Listing Tags").
func page(r *http.Request) (n int, last string, err error) {
	q := r.URL.Query()
	if !printable(q.Get("last")) {
		return 0, "", badQuery("last")
	}
	if !q.Has("n") {
		return maxPage, q.Get("last"), nil
	}
	n, err = strconv.Atoi(q.Get("n"))
	if err != nil || n < 0 {
		return 0, "", unsupported(http.StatusBadRequest, "n is a number of entries, 0 or more")
	}
	return min(n, maxPage), q.Get("last"), nil
}

// printable says whether a text can be looked up on SQLite and PostgreSQL alike.
func printable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func badQuery(name string) error {
	return fail(http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", name+" has to be UTF-8 text without null characters")
}

// maxPageBytes bounds the names on one page, so that all who ask for it share it in
// the cache.
const maxPageBytes = 256 << 10

// cut makes a page of n entries from up to n+1, or of as many as have maxPageBytes,
// and the link to the next page.
func cut(entries []string, n int, path string) (pageOf []string, link string) {
	page := entries[:min(n, len(entries))]
	size := 0
	for k, name := range page {
		if size += len(name); size > maxPageBytes {
			page = page[:k]
			break
		}
	}
	if len(page) == 0 || len(page) == len(entries) {
		return page, ""
	}
	q := url.Values{"n": {strconv.Itoa(n)}, "last": {page[len(page)-1]}}
	return page, "<" + path + "?" + q.Encode() + `>; rel="next"`
}

func (s *Registry) listTags(w http.ResponseWriter, r *http.Request, to route) error {
	repo, err := s.repository(r.Context(), to.name)
	if err != nil {
		return err
	}
	n, last, err := page(r)
	if err != nil {
		return err
	}
	return s.cached(w, r, repo.ID, "tags", func(ctx context.Context) (*cache.List, error) {
		tags, err := s.Images.Tags(ctx, repo.ID, last, n+1)
		if err != nil {
			return nil, err
		}
		tags, link := cut(tags, n, "/v2/"+to.name+"/tags/list")
		body, err := encode(struct {
			Name string   `json:"name"`
			Tags []string `json:"tags"`
		}{to.name, tags})
		return &cache.List{Body: body, Link: link, MediaType: "application/json"}, err
	})
}

// listRepositories lists what the principal may read. Only lists that are the
// same for everybody who gets them are cached.
func (s *Registry) listRepositories(w http.ResponseWriter, r *http.Request, to route) error {
	n, last, err := page(r)
	if err != nil {
		return err
	}
	visible, err := s.Rights.Visible(r.Context(), to.who)
	if err != nil {
		return err
	}
	read := func(ctx context.Context) (*cache.List, error) {
		names, err := s.Images.Catalog(ctx, images.Visible(visible), last, n+1)
		if err != nil {
			return nil, err
		}
		names, link := cut(names, n, "/v2/_catalog")
		body, err := encode(map[string][]string{"repositories": names})
		return &cache.List{Body: body, Link: link, MediaType: "application/json"}, err
	}
	switch {
	case visible.Only == nil && visible.All:
		return s.cached(w, r, "", "catalog", read)
	case visible.Only == nil && visible.Public && len(visible.Namespaces) == 0 && len(visible.Repositories) == 0:
		return s.cached(w, r, "", "public", read)
	}
	if err := budget.Of(r.Context()).Work(r.Context()); err != nil {
		return err
	}
	l, err := read(r.Context())
	if err != nil {
		return err
	}
	if err := budget.Of(r.Context()).Hold(int64(len(l.Body))); err != nil {
		return err
	}
	return send(w, l)
}
