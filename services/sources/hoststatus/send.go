package hoststatus

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/gitremote"
)

const (
	within    = 30 * time.Second // a host answers in this time
	maxAnswer = 64 << 10         // bytes of an answer that are read
)

// A Client tells git hosts. Its connections are judged by a guard.
type Client struct{ http *http.Client }

// NewClient tells hosts that the guard lets through.
func NewClient(guard *egress.Guard) *Client { return &Client{guard.NewClient()} }

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Send tells a git host of that kind the status of a commit. Told twice, it is the same.
// *Refused when the host has answered and does not take it, else ErrAddress,
// egress.ErrForbidden or an error of the network; none has a secret in it.
func (c *Client) Send(ctx context.Context, kind string, of gitremote.URL, with Token, s Status) error {
	address, err := Address(kind, of, s.Commit)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("it did not answer within %s", within))
	defer cancel()
	err = c.post(ctx, kind, address, with, s)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		u, _ := url.Parse(address)
		return fmt.Errorf("send the status of a commit to %s: %w", u.Host, err)
	}
	return nil
}

func (c *Client) post(ctx context.Context, kind, address string, with Token, s Status) error {
	body, err := json.Marshal(bodyOf(kind, s))
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "hubledger") // GitHub serves nobody without one
	if kind == events.HostGitHub {
		req.Header.Set("Accept", "application/vnd.github+json")
		req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	}
	// In Authorization, and nowhere else: the client takes it away where a redirect leads
	// to another host.
	req.Header.Set("Authorization", authorization(kind, with))
	resp, err := c.http.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	// A redirect that turns the request into a GET gets a list of statuses, with 200.
	if resp.Request.Method != http.MethodPost {
		return &Refused{Code: http.StatusMovedPermanently, Why: "it redirects to " + resp.Request.URL.Host + resp.Request.URL.Path,
			Do: "set the URL of the source to where the git repository is now"}
	}
	if resp.StatusCode/100 == 2 {
		return nil
	}
	return refusal(kind, resp, answer, with, s.State)
}

// standalone are the user names that hosts want beside tokens which need none.
var standalone = map[string]bool{"": true, "x-token-auth": true, "x-access-token": true, "oauth2": true}

func authorization(kind string, with Token) string {
	switch {
	case kind == events.HostGitea:
		return "token " + with.Secret
	case (kind == events.HostBitbucket || kind == events.HostBitbucketServer) && !standalone[with.User]:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(with.User+":"+with.Secret))
	}
	return "Bearer " + with.Secret
}

// withoutURL is an error of a request without its address, which the caller says better.
func withoutURL(err error) error {
	if u, ok := err.(*url.Error); ok {
		return u.Err
	}
	return err
}

// masked is a text without a secret that its writer was shown.
func masked(text, secret string) string {
	if secret == "" {
		return text
	}
	return strings.ReplaceAll(text, secret, "…")
}
