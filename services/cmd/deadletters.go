package cmd

import (
	"fmt"
	"net/url"
	"strconv"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/adminsocket"
)

type deadLettersCmd struct {
	Ls    deadLettersLsCmd    `cmd:"" help:"List dead letters: tasks that failed too often and are not tried any more."`
	Retry deadLettersRetryCmd `cmd:"" help:"Try dead letters again, as often as new tasks."`
}

type deadLettersLsCmd struct{}

func (deadLettersLsCmd) Run(s *console.Session) error {
	var rows [][]string
	err := console.Items(s, "GET", "/dead-letters", nil, nil, func(l adminsocket.DeadLetter) error {
		rows = append(rows, []string{l.Manager, l.Task, strconv.Itoa(l.Attempts), console.Time(&l.Since), l.Error})
		return nil
	})
	if err != nil || s.JSON {
		return err
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(s.Out, "No dead letters.")
		return err
	}
	return s.Table([]string{"MANAGER", "TASK", "ATTEMPTS", "SINCE", "LAST ERROR"}, rows)
}

type deadLettersRetryCmd struct {
	Manager string `arg:"" help:"Process manager, as ls names it."`
	Task    string `arg:"" optional:"" help:"Task, as ls names it. Default: all dead letters of the manager."`
}

func (c *deadLettersRetryCmd) Run(s *console.Session) error {
	n := 0
	err := console.Items(s, "POST", "/dead-letters"+client.Path(c.Manager)+"/retry", url.Values{"task": {c.Task}}, nil, func(l adminsocket.DeadLetter) error {
		n++
		if s.JSON {
			return nil
		}
		_, err := fmt.Fprintf(s.Out, "%s is tried again.\n", l.Task)
		return err
	})
	if err == nil && n == 0 && !s.JSON {
		_, err = fmt.Fprintf(s.Out, "%s has no dead letters.\n", c.Manager)
	}
	return err
}
