package cmd

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// maxAnswer bounds what is read of one answer, in bytes.
const maxAnswer = 16 << 20

// An api is a way to a hub's HTTP API: over HTTPS with a login, or over the
// socket in a data directory as its operator.
type api struct {
	s      *session
	base   string // scheme and host
	client *http.Client
	// authorize puts credentials on a request; nil for none.
	authorize func(*http.Request)
	socket    string // path of the admin socket; "" for a login
	user      string // whose login it is; "" for the operator
}

// socketAPI reaches the hub that serves a data directory.
func socketAPI(s *session) *api {
	path := adminSocket(s.data)
	return &api{s: s, base: "http://admin", socket: path, client: &http.Client{
		Transport:     &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialSocket(ctx, path) }},
		CheckRedirect: noRedirect}}
}

// remoteAPI reaches a hub by its URL. ca is PEM of an authority that is trusted
// beside the system's; "" for none.
func remoteAPI(s *session, base, ca string, authorize func(*http.Request)) (*api, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM([]byte(ca)) {
			return nil, errors.New("the file given with --ca holds no certificate (PEM)")
		}
		trust.RootCAs = pool
	}
	return &api{s: s, base: base, authorize: authorize, client: &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust, ForceAttemptHTTP2: true,
			DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second},
		CheckRedirect: noRedirect}}, nil
}

// noRedirect: credentials go to the hub that was named, and nowhere else.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// do sends one request to /api/v1 and returns the body of its answer; body, if
// not nil, is sent as JSON. A refusal is an *apiError.
func (a *api) do(method, path string, query url.Values, body any) (json.RawMessage, error) {
	target := a.base + "/api/v1" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	return a.send(method, target, body)
}

func (a *api) send(method, target string, body any) (json.RawMessage, error) {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(a.s.ctx, method, target, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if a.authorize != nil {
		a.authorize(req)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, a.unreached(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("the hub's answer broke off: %w", err)
	}
	if len(raw) > maxAnswer {
		return nil, fmt.Errorf("the hub's answer is larger than %s", size(maxAnswer))
	}
	if resp.StatusCode >= 300 {
		return nil, a.refused(resp, raw)
	}
	return raw, nil
}

// unreached says what to do when there was no answer.
func (a *api) unreached(err error) error {
	var unknown x509.UnknownAuthorityError
	switch {
	case a.s.ctx.Err() != nil:
		return errInterrupted
	case a.socket != "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)):
		return fmt.Errorf("no hub is running on %s (no answer on %s): start it with `hubledger serve --data %s`, name its data directory with --data, or `hubledger login` to one elsewhere", a.s.data, a.socket, a.s.data)
	case errors.As(err, &unknown):
		return fmt.Errorf("%s has a certificate of an authority that this machine does not know: name it with `hubledger login %s --ca ca.crt`", a.base, a.base)
	case errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("%s speaks plain HTTP; see docs/tls.md, or log in to %s", a.base, strings.Replace(a.base, "https:", "http:", 1))
	}
	return fmt.Errorf("ask the hub: %w", err)
}

// paged asks a list that has pages for large ones. Others refuse a limit.
func paged() url.Values { return url.Values{"limit": {"100"}} }

// each calls item for every one of a list, over all its pages.
func (a *api) each(path string, query url.Values, item func(json.RawMessage) error) error {
	raw, err := a.do("GET", path, query, nil)
	for {
		if err != nil {
			return err
		}
		var page struct {
			Items []json.RawMessage
			Next  string
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return fmt.Errorf("the hub's answer cannot be read: %w", err)
		}
		for _, i := range page.Items {
			if err := item(i); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		if !strings.HasPrefix(page.Next, "/api/v1/") || len(page.Items) == 0 {
			return fmt.Errorf("the hub's answer cannot be read: its next page is at %q", page.Next)
		}
		raw, err = a.send("GET", a.base+page.Next, nil)
	}
}
