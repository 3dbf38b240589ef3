package registrytest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// A Client speaks to one registry on connections of its own.
type Client struct {
	URL string
	As  string // who asks, see AsHeader; the tester when empty
	// User and Password, when not empty, go with every request. A Hub does not
	// look at them; the real program does.
	User, Password string
	http           http.Client
}

// NewClient makes one with a connection pool of its own.
func NewClient(url string) *Client {
	return &Client{URL: url, http: http.Client{
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Trust lets the client trust the authority in a PEM file.
func (c *Client) Trust(t testing.TB, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%s holds no certificate: %v", file, err)
	}
	c.http.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool}
}

// Close ends the client's idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Client is a new client of this hub as it runs now.
func (h *Hub) Client() *Client {
	c := NewClient(h.URL)
	h.T.Cleanup(c.Close)
	return c
}

// An Answer is a whole HTTP response.
type Answer struct {
	Request string // method and path
	Status  int
	Header  http.Header
	Body    []byte
}

// Do sends a request; path may be what a Location header said. headers are
// pairs of name and value.
func (c *Client) Do(method, path string, body []byte, headers ...string) (*Answer, error) {
	return c.Stream(method, path, bytes.NewReader(body), headers...)
}

// Stream is Do with a body of unknown length, unless it is a *bytes.Reader.
func (c *Client) Stream(method, path string, body io.Reader, headers ...string) (*Answer, error) {
	return c.Announce(method, path, -1, body, headers...)
}

// Announce is Stream with a Content-Length, which is not checked here; -1 for none.
func (c *Client) Announce(method, path string, length int64, body io.Reader, headers ...string) (*Answer, error) {
	if !strings.HasPrefix(path, "http") {
		path = c.URL + path
	}
	r, err := http.NewRequest(method, path, body)
	if err != nil {
		return nil, err
	}
	if length >= 0 {
		r.ContentLength = length
	}
	if c.User != "" {
		r.SetBasicAuth(c.User, c.Password)
	}
	if c.As != "" {
		r.Header.Set(AsHeader, c.As)
	}
	for k := 0; k+1 < len(headers); k += 2 {
		r.Header.Set(headers[k], headers[k+1])
	}
	res, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	a := &Answer{Request: method + " " + strings.TrimPrefix(path, c.URL), Status: res.StatusCode, Header: res.Header}
	if a.Body, err = io.ReadAll(res.Body); err != nil {
		return nil, fmt.Errorf("%s: answered %d and broke off: %w", a.Request, a.Status, err)
	}
	return a, nil
}

// Must is Do in a test that ends when the connection fails.
func (c *Client) Must(t testing.TB, method, path string, body []byte, headers ...string) *Answer {
	t.Helper()
	a, err := c.Do(method, path, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A Refusal is an answer with another status than the client needed.
type Refusal struct {
	Answer *Answer
	Wanted int
}

func (e *Refusal) Error() string {
	return fmt.Sprintf("%s: answered %d, not %d: %.300s", e.Answer.Request, e.Answer.Status, e.Wanted, e.Answer.Body)
}

// Refused is the status of the answer that err is about, 0 when it is about none.
func Refused(err error) int {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Answer.Status
	}
	return 0
}

// Is fails with a *Refusal when the status is another one.
func (a *Answer) Is(status int) error {
	if a.Status != status {
		return &Refusal{a, status}
	}
	return nil
}

// Want ends a test when the status is another one.
func (a *Answer) Want(t testing.TB, status int) *Answer {
	t.Helper()
	if err := a.Is(status); err != nil {
		t.Fatal(err)
	}
	return a
}

// Codes are those of an error body (distribution-spec, "Error Codes").
func (a *Answer) Codes() []string {
	var body struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(a.Body, &body) != nil {
		return nil
	}
	var codes []string
	for _, e := range body.Errors {
		codes = append(codes, e.Code)
	}
	return codes
}

// WantError ends a test unless the answer is an error of that status whose
// body has that code first.
func (a *Answer) WantError(t testing.TB, status int, code string) *Answer {
	t.Helper()
	a.Want(t, status)
	if codes := a.Codes(); len(codes) == 0 || codes[0] != code || a.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s: codes %v of type %s, want %s: %s", a.Request, codes, a.Header.Get("Content-Type"), code, a.Body)
	}
	return a
}

// WantHeader ends a test when a header has another value.
func (a *Answer) WantHeader(t testing.TB, name, value string) *Answer {
	t.Helper()
	if got := strings.Join(a.Header.Values(name), "|"); got != value {
		t.Fatalf("%s: %s is %q, want %q", a.Request, name, got, value)
	}
	return a
}

// WantBody ends a test when the body is another one.
func (a *Answer) WantBody(t testing.TB, want string) *Answer {
	t.Helper()
	if string(a.Body) != want {
		t.Fatalf("%s: the body is %.300q, want %.300q", a.Request, a.Body, want)
	}
	return a
}

// Sum is the SHA-256 digest of a text, as it stands in paths.
func Sum(content string) digest.Digest { return digest.FromString(content) }
