package cmd

import (
	"fmt"
	"net/url"

	"hubledger/services/registry/gc"
)

type gcCmd struct {
	Now bool `help:"Take deleted images at once instead of after the undelete window. They cannot be restored any more."`
}

func (c *gcCmd) Run(s *session) error {
	q := url.Values{}
	if c.Now {
		q.Set("now", "1")
		fmt.Fprintln(s.err, "Warning: with --now, what was deleted and is collected cannot be restored any more.")
	}
	return items(s, "POST", "/gc", q, s.bar("collecting"), func(r gc.Result) error {
		if s.json {
			return nil
		}
		if r.Resting != "" {
			fmt.Fprintln(s.out, "Nothing collected:", r.Resting)
			return nil
		}
		_, err := fmt.Fprintf(s.out, "%d blobs looked at, %d collected, %s freed.\n", r.Seen, r.Swept, size(r.Freed))
		return err
	})
}
