package console

import (
	"encoding/json"
	"fmt"
	"net/url"

	"hubledger/services/cmd/client"
	"hubledger/services/internal/adminsocket"
)

// Items sends a request to the admin socket of the session's data directory and
// calls each with every item of the response. With --json it also prints the
// items unchanged. b shows the progress that the hub reports; it may be nil.
func Items[T any](s *Session, method, path string, query url.Values, b *Bar, each func(T) error) error {
	var progress func(adminsocket.Progress)
	if b != nil {
		progress = func(p adminsocket.Progress) { b.Set(p.Done, p.Total, p.Unit) }
		defer b.End()
	}
	return client.Admin(s.Context, s.Data, method, path, query, progress, func(raw json.RawMessage) error {
		v, err := decode[T](raw)
		if err != nil {
			return err
		}
		if s.JSON {
			if _, err := fmt.Fprintf(s.Out, "%s\n", raw); err != nil {
				return err
			}
		}
		return each(v)
	})
}
