package frame

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
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
	r, err := v.request(v.Context(), method, target, content)
	if err != nil {
		return 0, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer := endpoint.NewHeldAnswer()
	v.site.API.ServeHTTP(answer, r)
	return read(answer, out)
}

// request is one to another part of the hub, by the visitor.
func (v *Visit) request(ctx context.Context, method, target string, content io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(access.WithPrincipal(ctx, v.Principal), method, target, content)
	if err != nil {
		return nil, endpoint.Fail(http.StatusNotFound, "there is no such page").Because(err)
	}
	r.RemoteAddr, r.Host, r.TLS = v.Request.RemoteAddr, v.Request.Host, v.Request.TLS
	r.Header.Set("User-Agent", v.Request.UserAgent())
	return r, nil
}

// read reads the answer into out, or as a problem.
func read(a *endpoint.HeldAnswer, out any) (uint64, error) {
	if a.Status() >= 400 {
		p := endpoint.Fail(a.Status(), http.StatusText(a.Status()))
		if err := json.Unmarshal(a.Body(), &p.ErrorModel); err != nil {
			p.Detail = string(a.Body())
		}
		if wait := a.Header().Get("Retry-After"); wait != "" {
			p = p.With("Retry-After", wait)
		}
		return 0, p
	}
	var seq uint64
	if text := a.Header().Get(apitypes.SequenceHeader); text != "" {
		var err error
		if seq, err = strconv.ParseUint(text, 10, 64); err != nil {
			return 0, fmt.Errorf("read the API's answer: %w", err)
		}
	}
	if raw, ok := out.(*Bytes); ok {
		*raw = a.Body()
		return seq, nil
	}
	if out != nil && len(a.Body()) > 0 {
		if err := json.Unmarshal(a.Body(), out); err != nil {
			return 0, fmt.Errorf("read the API's answer: %w", err)
		}
	}
	return seq, nil
}
