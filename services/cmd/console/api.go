package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"

	"hubledger/services/cmd/client"
	"hubledger/services/internal/adminsocket"
	"hubledger/services/internal/apitypes"
)

// An API is the HTTP API of the hub that a command talks to.
type API struct {
	Session *Session
	client  *client.Client
}

// User is the login name; "" for the operator.
func (a *API) User() string { return a.client.User }

// Host is the hub's host, and port if it needs one, to show in docker commands.
func (a *API) Host() string {
	host := a.client.Host()
	if host == "" { // the hub on a data directory knows it
		quiet := *a.Session
		quiet.JSON, quiet.Out = false, io.Discard
		Items(&quiet, "GET", "/status", nil, nil, func(h adminsocket.Status) error {
			host = h.Docker
			return nil
		})
	}
	return cmp.Or(host, "localhost:5050")
}

// String names the hub and the user.
func (a *API) String() string { return a.client.String() }

// Within is the same hub for what ends with another context.
func (a *API) Within(ctx context.Context) *API {
	s := *a.Session
	s.Context = ctx
	return &API{&s, a.client}
}

// HasBlob says whether a repository has a blob for some hours more.
func (a *API) HasBlob(repository, digest string) (bool, error) {
	return a.client.HasBlob(a.Session.Context, repository, digest)
}

// PushBlob sends a blob of so many bytes to a repository.
func (a *API) PushBlob(repository, digest string, size int64, content io.Reader) error {
	return a.client.PushBlob(a.Session.Context, repository, digest, size, content)
}

// Each calls item for every item of a list, on all of its pages.
func Each[T any](a *API, path string, query url.Values, item func(T) error) error {
	return a.client.Each(a.Session.Context, path, query, func(raw json.RawMessage) error {
		v, err := decode[T](raw)
		if err != nil {
			return err
		}
		return item(v)
	})
}

// List prints a list: with --json its items unchanged, else a table, or the text
// empty when there are no items.
func List[T any](a *API, path string, query url.Values, empty string, header []string, row func(T) []string) error {
	return ListFirst(a, path, query, math.MaxInt, empty, header, row)
}

// ListFirst is List of at most n items, the first ones.
func ListFirst[T any](a *API, path string, query url.Values, n int, empty string, header []string, row func(T) []string) error {
	s := a.Session
	var rows [][]string
	enough, seen := errors.New("enough"), 0
	err := a.client.Each(s.Context, path, query, func(raw json.RawMessage) error {
		if s.JSON {
			if err := s.PrintRaw(raw); err != nil {
				return err
			}
		} else {
			v, err := decode[T](raw)
			if err != nil {
				return err
			}
			rows = append(rows, row(v))
		}
		if seen++; seen == n {
			return enough
		}
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	if err != nil || s.JSON {
		return err
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(s.Out, empty)
		return err
	}
	return s.Table(header, rows)
}

// Get returns one object.
func Get[T any](a *API, path string) (v T, err error) {
	raw, err := a.do("GET", path, nil)
	if err != nil {
		return v, err
	}
	return decode[T](raw)
}

// Show prints one object: unchanged with --json, else as pairs of name and value.
func Show[T any](a *API, path string, facts func(T) [][]string) error {
	return Send(a, "GET", path, nil, func(v T) error { return a.Session.Facts(facts(v)) })
}

// Post sends a request with body as JSON, prints nothing, and returns the answer.
func Post[T any](a *API, path string, body any) (v T, err error) {
	raw, err := a.do("POST", path, body)
	if err != nil {
		return v, err
	}
	return decode[T](raw)
}

// Send sends a request, with body as JSON unless it is nil, and prints the
// response: unchanged with --json, else by print.
func Send[T any](a *API, method, path string, body any, print func(T) error) error {
	raw, err := a.do(method, path, body)
	if err != nil {
		return err
	}
	if a.Session.JSON {
		return a.Session.PrintRaw(raw)
	}
	v, err := decode[T](raw)
	if err != nil {
		return err
	}
	return print(v)
}

// Change sends a change and prints message with the sequence number of its event.
func (a *API) Change(method, path string, body any, message string) error {
	return Send(a, method, path, body, func(c apitypes.Change) error {
		_, err := fmt.Fprintf(a.Session.Out, "%s (event %d).\n", message, c.Seq)
		return err
	})
}

// Follow calls item for the server-sent events of one kind behind the id after, until the
// command is ended: see client.Client.Follow.
func Follow[T any](a *API, path string, query url.Values, after uint64, kind string, item func(T) error) error {
	return a.client.Follow(a.Session.Context, path, query, after, func(e client.Arrival) error {
		if e.Kind != kind {
			return nil
		}
		v, err := decode[T](e.Data)
		if err != nil {
			return err
		}
		return item(v)
	})
}

// Copy prints the body of an answer as it is, with --json too.
func (a *API) Copy(path string) error {
	raw, err := a.Text(path)
	if err == nil {
		_, err = a.Session.Out.Write(raw)
	}
	return err
}

// Text is the body of an answer as it is.
func (a *API) Text(path string) ([]byte, error) { return a.do("GET", path, nil) }

// Open sends a GET request and returns its answer, to be read and closed.
func (a *API) Open(path string, query url.Values) (*http.Response, error) {
	return a.client.Open(a.Session.Context, path, query)
}

// Do sends a request, with body as JSON unless it is nil, and prints nothing.
func (a *API) Do(method, path string, body any) error {
	_, err := a.do(method, path, body)
	return err
}

func (a *API) do(method, path string, body any) (json.RawMessage, error) {
	return a.client.Do(a.Session.Context, method, path, nil, body)
}

func decode[T any](raw json.RawMessage) (v T, err error) {
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	return v, nil
}
