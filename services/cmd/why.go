package cmd

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type whyCmd struct {
	console.Target
	What string `arg:"" help:"Tag or image, such as team/app:1.0 or team/app@sha256:…; a digest; the id of a build or a deployment; the id or name of a container; the sequence or id of an event."`
}

func (whyCmd) Help() string {
	return `Prints the chain of events that led to it, from the first cause, such as a webhook,
and below all that it led to. What was asked for is marked with an arrow.`
}

func (c *whyCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Send(a, "GET", "/why?of="+url.QueryEscape(c.What), nil, func(v apitypes.Why) error {
		rows := make([][]string, len(v.Steps))
		for k, step := range v.Steps {
			mark := ""
			if step.Asked {
				mark = "→"
			}
			indent := strings.Repeat("  ", min(step.Depth, 20))
			if e := step.Event; e != nil {
				rows[k] = []string{mark, strconv.FormatUint(e.Seq, 10), e.Time.Format(time.DateTime), indent + e.Actor + " " + e.Text}
			} else {
				rows[k] = []string{mark, "", "", indent + "a step that you may not read"}
			}
		}
		if err := s.Table([]string{"", "SEQ", "TIME", "WHAT"}, rows); err != nil || !v.More {
			return err
		}
		_, err := fmt.Fprintln(s.Out, "It led to more than is shown: see hubledger events ls correlation:ID")
		return err
	})
}
