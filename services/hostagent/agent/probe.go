package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"hubledger/services/internal/hosting"
)

const (
	// passes is how often in a row a web service has to answer.
	passes = 3
	// answerWithin is how long one answer may take.
	answerWithin = 5 * time.Second
)

// prober asks web services whether they are well, from outside of their containers. It
// follows no redirects and keeps no connections.
var prober = &http.Client{
	Timeout:       answerWithin,
	Transport:     &http.Transport{DisableKeepAlives: true, Proxy: nil, DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// A streak is how often in a row a container answered.
type streak struct {
	container string
	started   time.Time
	passed    int
	last      string // what was wrong the last time
}

// probe asks a web service once. The streak begins anew with a container that was started
// again.
func (a *Agent) probe(ctx context.Context, t *hosting.Slot, s *hosting.SlotService, c *hosting.SeenContainer, of *streak) {
	if of.container != c.ID || !of.started.Equal(c.Started) {
		*of = streak{container: c.ID, started: c.Started}
	}
	if err := a.answers(ctx, t, s); err != nil {
		of.passed, of.last = 0, err.Error()
		return
	}
	of.passed, of.last = min(of.passed+1, passes), ""
}

func (a *Agent) answers(ctx context.Context, t *hosting.Slot, s *hosting.SlotService) error {
	path := s.Role.Probe
	if path == "" {
		path = "/"
	}
	at := a.Bind.String()
	if a.Bind.IsUnspecified() {
		at = "127.0.0.1"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(at, strconv.Itoa(portOf(t, s)))+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", "hubledger-probe")
	if s.Role.Host != "" {
		r.Host = s.Role.Host
	}
	resp, err := prober.Do(r)
	if err != nil {
		var at *net.OpError
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("the probe of %s got no answer: %w", path, err)
	}
	defer resp.Body.Close()
	io.CopyN(io.Discard, resp.Body, 64<<10) // a body that was not sent whole is its balancer's business
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return fmt.Errorf("the probe of %s was answered %s to %.200s: a redirect is no answer; name the path it leads to, or the host in x-hubledger", path, resp.Status, resp.Header.Get("Location"))
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("the probe of %s was answered %s", path, resp.Status)
	}
	return nil
}
