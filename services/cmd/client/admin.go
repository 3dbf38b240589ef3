package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"hubledger/services/internal/adminsocket"
)

// ErrInterrupted is the error when the context ended before the answer did, as
// by Ctrl-C.
var ErrInterrupted = errors.New("interrupted before the hub had answered")

// Admin sends a request to the hub that runs on a data directory, over its admin
// socket, and calls progress and item as the answer arrives. Both may be nil. It
// returns ErrInterrupted when ctx ends first.
func Admin(ctx context.Context, data, method, path string, query url.Values, progress func(adminsocket.Progress), item func(json.RawMessage) error) error {
	c := Operator(data)
	c.elsewhere = ", or name its data directory with --data"
	req, err := http.NewRequestWithContext(ctx, method, c.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return c.unreached(ctx, err)
	}
	defer resp.Body.Close()
	in := bufio.NewReaderSize(resp.Body, 1<<20)
	for {
		raw, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(raw)) > 0 {
			var m adminsocket.Message
			if jerr := json.Unmarshal(raw, &m); jerr != nil {
				return fmt.Errorf("the hub's answer cannot be read: %w", jerr)
			}
			switch {
			case m.Error != "":
				return errors.New(m.Error)
			case m.Done:
				return nil
			case m.Progress != nil && progress != nil:
				progress(*m.Progress)
			case m.Item != nil && item != nil:
				if err := item(m.Item); err != nil {
					return err
				}
			}
		}
		if ctx.Err() != nil {
			return ErrInterrupted
		}
		if errors.Is(err, io.EOF) {
			return errors.New("the hub stopped before it had answered")
		}
		if err != nil {
			return fmt.Errorf("the hub's answer broke off: %w", err)
		}
	}
}
