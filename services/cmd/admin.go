package cmd

import (
	"encoding/json"
	"fmt"
	"net/url"

	"hubledger/services/cmd/client"
	"hubledger/services/internal/adminsocket"
)

// items sends a request to the admin socket and calls each with every decoded
// item of the answer. With --json it also prints the items unchanged. b shows
// progress; it may be nil.
func items[T any](s *session, method, path string, query url.Values, b *bar, each func(T) error) error {
	var progress func(adminsocket.Progress)
	if b != nil {
		progress = func(p adminsocket.Progress) { b.set(p.Done, p.Total, p.Unit) }
		defer b.end()
	}
	return client.Admin(s.ctx, s.data, method, path, query, progress, func(raw json.RawMessage) error {
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
