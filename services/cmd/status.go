package cmd

import (
	"errors"
	"fmt"
	"strings"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/adminsocket"
)

type statusCmd struct{}

// managerLine says what is wrong with a process manager, and what to type.
func managerLine(m adminsocket.Manager) string {
	line := fmt.Sprintf("%s: %d tasks due", m.Name, m.Due)
	if m.Dead > 0 {
		line += fmt.Sprintf("; %d failed too often: `hubledger dead-letters ls` lists them, `hubledger dead-letters retry %s` tries them again", m.Dead, m.Name)
	}
	if m.LastError != "" {
		line += "; last error: " + m.LastError
	}
	return line
}

func (statusCmd) Run(s *console.Session) error {
	var status adminsocket.Status
	err := console.Items(s, "GET", "/status", nil, nil, func(h adminsocket.Status) error {
		status = h
		if s.JSON {
			return nil
		}
		_, err := fmt.Fprintf(s.Out, "ready      %t\nservices   %s\nlog        %d events, %s, generation %s\nblobs      %d, %s\ndisk       %s left for uploads\n",
			h.Ready, strings.Join(h.Services, ", "), h.Events, console.Size(int64(h.LogBytes)), h.Generation, h.Blobs, console.Size(h.BlobBytes), console.Size(h.Left))
		for _, m := range h.Managers {
			if err == nil && (m.Dead > 0 || m.LastError != "") { // the others work, and are in --json
				_, err = fmt.Fprintln(s.Out, "manager   ", managerLine(m))
			}
		}
		for _, p := range h.Problems {
			if err == nil {
				_, err = fmt.Fprintf(s.Out, "problem    %s: %s. %s\n", p.What, p.Detail, p.Advice)
			}
		}
		return err
	})
	if err != nil || status.Ready {
		return err
	}
	if status.ReadOnly != "" {
		return &console.ExitError{Err: errors.New(status.ReadOnly), Code: console.ExitGuard}
	}
	var why []string
	for _, p := range status.Problems {
		if p.Blocks {
			why = append(why, p.What)
		}
	}
	return fmt.Errorf("the hub is not ready for pushes: %s", strings.Join(why, ", "))
}
