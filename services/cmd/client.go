package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"syscall"
)

// adminSocket is where a running server listens for its own command line.
func adminSocket(data string) string { return filepath.Join(data, "admin.sock") }

// errInterrupted: the person who asked did not wait for the whole answer.
var errInterrupted = errors.New("interrupted before the hub had answered")

// A line is one message of an answer on the admin socket: progress, items,
// and in the end a result or an error.
type line struct {
	Progress *progressLine   `json:"progress,omitempty"`
	Item     json.RawMessage `json:"item,omitempty"`
	Done     bool            `json:"done,omitempty"`
	Error    string          `json:"error,omitempty"`
}

type progressLine struct {
	Done, Total int64
	Unit        string
}

// call asks the running server. progress and item may be nil.
func (s *session) call(method, path string, query url.Values, progress func(progressLine), item func(json.RawMessage) error) error {
	socket := adminSocket(s.data)
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialSocket(ctx, socket)
	}}}
	req, err := http.NewRequestWithContext(s.ctx, method, "http://admin"+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("no hub is running on %s (no answer on %s): start it with `hubledger serve --data %s`, or name its data directory with --data", s.data, socket, s.data)
	}
	if err != nil {
		return fmt.Errorf("ask the running hub: %w", err)
	}
	defer resp.Body.Close()
	in := bufio.NewReaderSize(resp.Body, 1<<20)
	for {
		raw, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(raw)) > 0 {
			var l line
			if jerr := json.Unmarshal(raw, &l); jerr != nil {
				return fmt.Errorf("the hub's answer cannot be read: %w", jerr)
			}
			switch {
			case l.Error != "":
				return errors.New(l.Error)
			case l.Done:
				return nil
			case l.Progress != nil && progress != nil:
				progress(*l.Progress)
			case l.Item != nil && item != nil:
				if err := item(l.Item); err != nil {
					return err
				}
			}
		}
		if s.ctx.Err() != nil {
			return errInterrupted
		}
		if errors.Is(err, io.EOF) {
			return errors.New("the hub stopped before it had answered")
		}
		if err != nil {
			return fmt.Errorf("the hub's answer broke off: %w", err)
		}
	}
}

// items calls and decodes each item; with --json it passes them through.
func items[T any](s *session, method, path string, query url.Values, b *bar, each func(T) error) error {
	var progress func(progressLine)
	if b != nil {
		progress = func(p progressLine) { b.set(p.Done, p.Total, p.Unit) }
		defer b.end()
	}
	return s.call(method, path, query, progress, func(raw json.RawMessage) error {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return fmt.Errorf("the hub's answer cannot be read: %w", err)
		}
		if s.json {
			if _, err := fmt.Fprintf(s.out, "%s\n", raw); err != nil {
				return err
			}
		}
		return each(v)
	})
}
