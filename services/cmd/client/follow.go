package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// An Arrival is a server-sent event.
type Arrival struct {
	Kind string
	Data json.RawMessage
}

// comeBackAfter is how long to wait before a stream that has ended is asked for again.
const comeBackAfter = time.Second

// Follow calls item for the server-sent events of a stream behind the id after, until ctx
// ends. A hub ends streams after some minutes, and may be restarted: then Follow comes back
// behind the last event. It returns the error of item, that of the first request, and later
// refusals that do not pass by themselves.
func (c *Client) Follow(ctx context.Context, path string, query url.Values, after uint64, item func(Arrival) error) error {
	for first := true; ; first = false {
		again, err := c.stream(ctx, path, query, &after, item)
		if ctx.Err() != nil {
			return ErrInterrupted
		}
		if err != nil && (first || !again) {
			return err
		}
		select {
		case <-ctx.Done():
			return ErrInterrupted
		case <-time.After(comeBackAfter):
		}
	}
}

// stream reads one answer and moves after with the ids that come. again says that what ended
// it may pass by itself.
func (c *Client) stream(ctx context.Context, path string, query url.Values, after *uint64, item func(Arrival) error) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, "GET", c.base+"/api/v1"+path+"?"+query.Encode(), nil)
	if err != nil {
		return false, err
	}
	req.Header.Set("Accept", "text/event-stream")
	if *after > 0 {
		req.Header.Set("Last-Event-ID", strconv.FormatUint(*after, 10))
	}
	if c.authorize != nil {
		c.authorize(req)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return true, c.unreached(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return true, fmt.Errorf("the hub's answer broke off: %w", err)
		}
		return resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500, c.refused(resp, raw)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxAnswer)
	var a Arrival
	var id uint64
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			id, _ = strconv.ParseUint(value, 10, 64)
		case "event":
			a.Kind = value
		case "data":
			a.Data = json.RawMessage(value)
		case "": // the end of an event; a line that begins with a colon is none
			if lines.Text() != "" {
				continue
			}
			if a.Kind != "" {
				if err := item(a); err != nil {
					return false, err
				}
			}
			*after, a = max(*after, id), Arrival{}
		}
	}
	return true, nil
}
