package gitremote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"hubledger/services/internal/egress"
)

var (
	// ErrCredentials: the git host does not take the credentials, or wants some.
	ErrCredentials = errors.New("the git host refuses the credentials")
	// ErrNotFound: there is no such repository, or none for these credentials.
	ErrNotFound = errors.New("no such git repository, or not with these credentials")
)

// Credentials are what a git host is shown. The zero value is none.
type Credentials struct {
	User     string // of HTTP
	Password string // of HTTP: a password or token
	Key      []byte // of SSH: a private key in OpenSSH's format
	// HostKey is what an SSH host has to show, as in an authorized_keys file: type
	// and key. When it is empty any key is taken, and Listing says which.
	HostKey string
}

// A Listing is an answer of a git host.
type Listing struct {
	Advertisement
	HostKey string // that an SSH host has shown
}

// A Client asks git hosts. Its connections are judged by a guard.
type Client struct {
	guard *egress.Guard
	http  *http.Client
}

// NewClient asks hosts that the guard lets through.
func NewClient(guard *egress.Guard) *Client { return &Client{guard, guard.NewClient()} }

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// List asks for the branches and tags of a repository, and for its pull requests if they
// are at refs; the zero value is for none. egress.ErrForbidden,
// ErrCredentials, ErrNotFound, ErrHostKey, ErrProtocol, ErrTooManyRefs, or an error
// of the network; none of them has a secret in it. Bound its time by ctx.
func (c *Client) List(ctx context.Context, u URL, with Credentials, pulls PullRefs) (Listing, error) {
	l, err := c.list(ctx, u, with, pulls)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return Listing{}, fmt.Errorf("list the refs of %s: %w", u, err)
	}
	return l, nil
}

func (c *Client) list(ctx context.Context, u URL, with Credentials, pulls PullRefs) (Listing, error) {
	if u.Scheme == "ssh" {
		return c.listSSH(ctx, u, with, pulls)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(u.String(), "/")+"/info/refs?service=git-upload-pack", nil)
	if err != nil {
		return Listing{}, err
	}
	req.Header.Set("User-Agent", "git/2 (hubledger)") // some hosts serve only what calls itself git
	if with.Password != "" {
		req.SetBasicAuth(with.User, with.Password)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Listing{}, withoutURL(err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return Listing{}, fmt.Errorf("%w (%s)", ErrCredentials, resp.Status)
	case http.StatusNotFound, http.StatusGone:
		return Listing{}, ErrNotFound
	default:
		return Listing{}, fmt.Errorf("it answered %.100q", resp.Status)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/x-git-upload-pack-advertisement" {
		return Listing{}, fmt.Errorf("%w: its type is %.80q", ErrProtocol, got)
	}
	a, err := readAdvertisement(resp.Body, true, pulls)
	io.CopyN(io.Discard, resp.Body, 1) // lets the connection be used again
	return Listing{Advertisement: a}, err
}

// withoutURL is the cause of an error of net/http. Its URL may be one that a
// redirect led to, with a secret in it.
func withoutURL(err error) error {
	var op *net.OpError
	if errors.Is(err, egress.ErrForbidden) && errors.As(err, &op) {
		return op.Err
	}
	if cause := errors.Unwrap(err); cause != nil {
		return cause
	}
	return err
}
