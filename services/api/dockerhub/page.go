package dockerhub

import (
	"net/http"
	"net/url"
	"strconv"

	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/origin"
)

// A page is a list as Docker Hub gives it.
type page struct {
	Count    int     `json:"count"`
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
	Results  any     `json:"results"`
}

// paging is the page that was asked for, from 1, and its length.
type paging struct{ page, size int }

func (p paging) offset() int { return (p.page - 1) * p.size }

const (
	maxPage     = 10_000
	maxPageSize = 100
)

// pagingOf reads page and page_size. A page has at most a hundred entries, also
// when more are asked for: scripts do so and then follow next.
func pagingOf(r *http.Request) (p paging, err error) {
	q := r.URL.Query()
	number := func(name string, otherwise int) (int, error) {
		text := q.Get(name)
		if text == "" {
			return otherwise, nil
		}
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil || n < 1 {
			return 0, endpoint.Fail(http.StatusBadRequest, name+" is a number from 1 on")
		}
		return int(n), nil
	}
	if p.page, err = number("page", 1); err != nil {
		return p, err
	}
	if p.page > maxPage {
		return p, endpoint.Fail(http.StatusBadRequest, "there are at most "+strconv.Itoa(maxPage)+" pages")
	}
	p.size, err = number("page_size", 10)
	p.size = min(p.size, maxPageSize)
	return p, err
}

// pageOf answers with a page of a list that has count entries in all. Pages behind
// the last one are answered 404: that is how scripts find the end.
func (p paging) pageOf(r *http.Request, count int, results any) (int, any, error) {
	if p.page > 1 && p.offset() >= count {
		return 0, nil, endpoint.Fail(http.StatusNotFound, "there is no such page")
	}
	at := func(page int) *string {
		q := url.Values{}
		for name, values := range r.URL.Query() {
			q[name] = values
		}
		q.Set("page", strconv.Itoa(page))
		q.Set("page_size", strconv.Itoa(p.size))
		address := origin.Of(r).URL() + r.URL.EscapedPath() + "?" + q.Encode()
		return &address
	}
	out := page{Count: count, Results: results}
	if p.offset()+p.size < count {
		out.Next = at(p.page + 1)
	}
	if p.page > 1 {
		out.Previous = at(p.page - 1)
	}
	return http.StatusOK, out, nil
}
