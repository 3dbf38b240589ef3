package exports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/services/internal/cloudevent"
	"hubledger/streams/outlet"
)

// A Receiver takes one event after the other. It has it for good when Send returns nil.
type Receiver interface {
	Send(ctx context.Context, e *events.Event, text []byte) error
	Close() error
}

// Dial connects to the receiver at a URL: http, https, nats or tls. token is what it asks
// for, "" for nothing.
func Dial(target, token string) (Receiver, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return nil, errors.New("--to is no URL that can be read")
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		client := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		return &web{url: target, shown: u.Redacted(), token: token, client: client}, nil
	}
	o, err := outlet.Dial(target, token)
	if err != nil {
		return nil, err
	}
	return broker{o}, nil
}

// IsURL says whether a target is a receiver, and not a file.
func IsURL(target string) bool {
	scheme, _, ok := strings.Cut(target, "://")
	return ok && (scheme == "http" || scheme == "https" || scheme == "nats" || scheme == "tls")
}

type broker struct{ *outlet.Outlet }

func (b broker) Send(ctx context.Context, e *events.Event, text []byte) error {
	return b.Publish(ctx, e.ID(), e.Subject, cloudevent.MediaType, text)
}

// A web receiver is sent each event in a request (CloudEvents HTTP binding, structured mode).
type web struct {
	url, shown, token string
	client            *http.Client
}

// Waits before an event is sent again.
var waits = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second}

func (w *web) Send(ctx context.Context, e *events.Event, text []byte) error {
	for try := 0; ; try++ {
		again, err := w.post(ctx, text)
		if err == nil || !again || try == len(waits) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(waits[try]):
		}
	}
}

// post sends a request; again says that another one may succeed.
func (w *web) post(ctx context.Context, text []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(text))
	if err != nil {
		return false, err
	}
	r.Header.Set("Content-Type", cloudevent.MediaType+"; charset=utf-8")
	if w.token != "" {
		r.Header.Set("Authorization", "Bearer "+w.token)
	}
	answer, err := w.client.Do(r)
	if err != nil {
		var asked *url.Error
		if errors.As(err, &asked) {
			err = asked.Err // without the URL, which may have a password in it
		}
		return ctx.Err() == nil, fmt.Errorf("send to %s: %w", w.shown, err)
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 200))
	if answer.StatusCode/100 == 2 {
		return false, nil
	}
	again = answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500
	return again, fmt.Errorf("%s answers %s: %s", w.shown, answer.Status, said)
}

func (w *web) Close() error {
	w.client.CloseIdleConnections()
	return nil
}

// OpenFile opens a file for an export: a new one, or the one that the cursor is of, cut to
// what it had then.
func OpenFile(path string, c *Cursor) (*os.File, error) {
	if c.Bytes == 0 && c.After == 0 {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("%s is there already: name another file; with --cursor a later export goes on where it has ended", path)
		}
		return f, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() < c.Bytes {
		err = fmt.Errorf("%s has %d bytes, and had %d after the last export: remove the cursor to begin anew", path, info.Size(), c.Bytes)
	}
	if err == nil {
		err = f.Truncate(c.Bytes)
	}
	if err == nil {
		_, err = f.Seek(c.Bytes, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
