// Package client sends the requests of the command line to a hub: to its HTTP
// API with a login, or over the admin socket of a data directory as the hub's
// operator.
package client

import (
	"bytes"
	"cmp"
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

	"hubledger/services/internal/adminsocket"
)

// maxAnswer bounds the size of one answer, in bytes.
const maxAnswer = 16 << 20

// continueWithin is how long a hub has to refuse a request before its content is sent.
const continueWithin = 5 * time.Second

// A Client calls a hub's HTTP API: by URL with a login, or over the socket in a
// data directory as the hub's operator.
type Client struct {
	base   string // scheme and host
	client *http.Client
	// authorize puts credentials on a request; nil for none.
	authorize func(*http.Request)
	data      string // the data directory; "" for a login
	socket    string // path of its admin socket; "" for a login
	elsewhere string // the end of the message that no hub runs there: how to reach another one
	// User is the login name; "" for the operator.
	User string
}

// String names the hub and the user.
func (c *Client) String() string {
	if c.socket != "" {
		return c.socket
	}
	return c.User + " at " + c.base
}

// Host is the hub's host, and port if it needs one; "" for a data directory's hub.
func (c *Client) Host() string {
	if c.socket != "" {
		return ""
	}
	_, host, _ := strings.Cut(c.base, "://")
	return host
}

// Operator reaches the hub that runs on a data directory.
func Operator(data string) *Client {
	path := adminsocket.Path(data)
	return &Client{base: "http://admin", data: data, socket: path, elsewhere: ", name its data directory with --data, or `hubledger login` to one elsewhere", client: &http.Client{
		Transport:     &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return adminsocket.Dial(ctx, path) }, ExpectContinueTimeout: continueWithin},
		CheckRedirect: noRedirect}}
}

// Remote reaches a hub by its URL. ca is PEM of an authority to trust in
// addition to the system's; "" for none.
func Remote(base, ca string, authorize func(*http.Request)) (*Client, error) {
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
	return &Client{base: base, authorize: authorize, client: &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust, ForceAttemptHTTP2: true,
			DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: continueWithin},
		CheckRedirect: noRedirect}}, nil
}

// noRedirect follows no redirect: credentials go only to the hub that was named.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Bearer puts an access token on requests.
func Bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// Do sends one request to /api/v1 and returns the body of its answer; body, if
// not nil, is sent as JSON. A refusal is an *Error.
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, body any) (json.RawMessage, error) {
	target := c.base + "/api/v1" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	return c.send(ctx, method, target, body)
}

func (c *Client) send(ctx context.Context, method, target string, body any) (json.RawMessage, error) {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.authorize != nil {
		c.authorize(req)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, c.unreached(ctx, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("the hub's answer broke off: %w", err)
	}
	if len(raw) > maxAnswer {
		return nil, fmt.Errorf("the hub's answer is larger than 16 MiB")
	}
	if resp.StatusCode >= 300 {
		return nil, c.refused(resp, raw)
	}
	return raw, nil
}

// ErrAuthority: the hub's certificate is of another authority. It continues a sentence.
var ErrAuthority = errors.New("is from an authority that this machine does not know")

// unreached explains why there was no answer, and what to do.
func (c *Client) unreached(ctx context.Context, err error) error {
	var unknown x509.UnknownAuthorityError
	switch {
	case ctx.Err() != nil:
		return ErrInterrupted
	case c.socket != "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)):
		return fmt.Errorf("no hub is running on %s (no answer on %s): start it with `hubledger serve --data %s`%s", c.data, c.socket, c.data, c.elsewhere)
	case errors.As(err, &unknown):
		return fmt.Errorf("the certificate of %s %w: log in with `hubledger login %s --ca ca.crt`", c.base, ErrAuthority, c.base)
	case errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("%s speaks plain HTTP; see docs/tls.md, or log in to %s", c.base, strings.Replace(c.base, "https:", "http:", 1))
	}
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err // without the URL, which is longer than what people know of it
	}
	if c.socket != "" && errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("you may not open %s, only the owner of the data directory may: run the command as that user, such as with sudo: %w", c.socket, err)
	}
	return fmt.Errorf("no hub answers at %s: %w; check that it runs there, and the address", cmp.Or(c.socket, c.base), err)
}

// Each calls item for every item of a list, on all of its pages.
func (c *Client) Each(ctx context.Context, path string, query url.Values, item func(json.RawMessage) error) error {
	raw, err := c.Do(ctx, "GET", path, query, nil)
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
		raw, err = c.send(ctx, "GET", c.base+page.Next, nil)
	}
}
