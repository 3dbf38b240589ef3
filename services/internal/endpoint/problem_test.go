package endpoint

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
)

func TestProblemOf(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		detail string
	}{
		{fmt.Errorf("look up: %w", accounts.ErrNotFound), 404, NotFound().Detail},
		{fmt.Errorf("bob: %w", account.ErrTaken), 409, "bob: the name is taken"},
		{events.ErrNoSpace, 507, ""},
		{events.ErrReadOnly, 503, ""},
		{access.ErrStale, 503, ""},
		{context.DeadlineExceeded, 503, ""},
		{errors.New("open /secret/path: permission denied"), 500, "internal error: the server's log says more"},
		{&access.Denied{Status: 429, Message: "slow down", RetryAfter: 1500 * time.Millisecond, Cause: errors.New("inside")}, 429, "slow down"},
		{&access.Denied{Status: 401, Message: "log in", Challenge: `Bearer realm="x"`}, 401, "log in"},
	} {
		p := problemOf(c.err, nil)
		if p.Status != c.status || c.detail != "" && p.Detail != c.detail || p.Title == "" || p.Type != "about:blank" {
			t.Errorf("%v: %+v", c.err, p.ErrorModel)
		}
	}
	if p := problemOf(&access.Denied{Status: 429, RetryAfter: 1500 * time.Millisecond}, nil); p.headers.Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q", p.headers.Get("Retry-After"))
	}
	if p := problemOf(&access.Denied{Status: 401, Challenge: "Bearer x"}, nil); p.headers.Get("WWW-Authenticate") != "Bearer x" {
		t.Errorf("challenge %q", p.headers.Get("WWW-Authenticate"))
	}
}
