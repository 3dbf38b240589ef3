package cmd

import (
	"fmt"
	"net/url"

	"hubledger/services/registry/gc"
)

type gcCmd struct {
	Now bool `help:"Collect deleted images immediately instead of after the undelete window. They cannot be restored any more."`
}

func (c *gcCmd) Run(s *session) error {
	q := url.Values{}
	if c.Now {
		q.Set("now", "1")
		fmt.Fprintln(s.err, "Warning: with --now, deleted images are collected at once and cannot be restored any more.")
	}
	return items(s, "POST", "/gc", q, s.bar("collecting"), func(r gc.Result) error {
		if s.json {
			return nil
		}
		if r.Resting != "" {
			fmt.Fprintln(s.out, "Nothing collected:", r.Resting)
			return nil
		}
		_, err := fmt.Fprintf(s.out, "Checked %d blobs, collected %d, freed %s.\n", r.Seen, r.Swept, size(r.Freed))
		return err
	})
}
