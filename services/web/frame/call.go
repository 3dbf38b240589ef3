package frame

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
)

// Get asks the API for a thing, as the visitor. path is below /api/v1; Path builds it.
// An error is a *endpoint.Problem, as the API answers it.
func Get[T any](v *Visit, path string, query url.Values) (T, error) {
	var out T
	_, err := v.ask(http.MethodGet, path, query, nil, &out)
	return out, err
}

// Bytes are what Get returns of an answer that is no JSON.
type Bytes []byte

// Send asks the API for a change, as the visitor, and returns the sequence of its event.
// body is sent as JSON; the answer is read into out. Both may be nil.
func (v *Visit) Send(method, path string, body, out any) (seq uint64, err error) {
	return v.ask(method, path, nil, body, out)
}

// Path joins the components of an address of the API. Behind repositories and sources
// comes a full name: its namespace, and the rest as one component, since the rest may have
// components that are words of the API, too, such as acme/group/tags/app.
func Path(components ...string) string {
	var b strings.Builder
	for k, c := range components {
		if k == 1 && (components[0] == "repositories" || components[0] == "sources") {
			namespace, rest, _ := strings.Cut(c, "/")
			b.WriteString("/" + url.PathEscape(namespace))
			c = rest
		}
		b.WriteString("/" + url.PathEscape(c))
	}
	return b.String()
}

func (v *Visit) ask(method, path string, query url.Values, body, out any) (uint64, error) {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		content = bytes.NewReader(raw)
	}
	target := "/api/v1" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	ctx := access.WithPrincipal(v.Context(), v.Principal)
	r, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return 0, endpoint.Fail(http.StatusNotFound, "there is no such page").Because(err)
	}
	r.RemoteAddr, r.Host, r.TLS = v.Request.RemoteAddr, v.Request.Host, v.Request.TLS
	r.Header.Set("User-Agent", v.Request.UserAgent())
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer := &heldAnswer{header: http.Header{}, status: http.StatusOK}
	v.site.API.ServeHTTP(answer, r)
	return answer.read(out)
}

// A heldAnswer is what the API answers.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *heldAnswer) Header() http.Header         { return a.header }
func (a *heldAnswer) WriteHeader(status int)      { a.status = status }
func (a *heldAnswer) Write(b []byte) (int, error) { return a.body.Write(b) }

// read reads the answer into out, or as a problem.
func (a *heldAnswer) read(out any) (uint64, error) {
	if a.status >= 400 {
		p := endpoint.Fail(a.status, http.StatusText(a.status))
		if err := json.Unmarshal(a.body.Bytes(), &p.ErrorModel); err != nil {
			p.Detail = a.body.String()
		}
		for _, name := range []string{"Retry-After"} {
			if value := a.header.Get(name); value != "" {
				p = p.With(name, value)
			}
		}
		return 0, p
	}
	var change apitypes.Change
	if seq := a.header.Get(apitypes.SequenceHeader); seq != "" {
		fmt.Sscan(seq, &change.Seq) // the API wrote it
	}
	if raw, ok := out.(*Bytes); ok {
		*raw = a.body.Bytes()
		return change.Seq, nil
	}
	if out != nil && a.body.Len() > 0 {
		if err := json.Unmarshal(a.body.Bytes(), out); err != nil {
			return 0, fmt.Errorf("read the API's answer: %w", err)
		}
	}
	return change.Seq, nil
}
