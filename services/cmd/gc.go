package cmd

import (
	"fmt"
	"net/url"

	"hubledger/services/cmd/console"
	"hubledger/services/registry/gc"
)

type gcCmd struct {
	Now bool `help:"Collect deleted images immediately instead of after the undelete window. They cannot be restored any more."`
}

func (c *gcCmd) Run(s *console.Session) error {
	q := url.Values{}
	if c.Now {
		q.Set("now", "1")
		fmt.Fprintln(s.Err, "Warning: with --now, deleted images are collected at once and cannot be restored any more.")
	}
	return console.Items(s, "POST", "/gc", q, s.Bar("collecting"), func(r gc.Result) error {
		if s.JSON {
			return nil
		}
		if r.Resting != "" {
			fmt.Fprintln(s.Out, "Nothing collected:", r.Resting)
			return nil
		}
		_, err := fmt.Fprintf(s.Out, "Checked %d blobs, collected %d, freed %s.\n", r.Seen, r.Swept, console.Size(r.Freed))
		return err
	})
}
