package cmd

import (
	"errors"
	"fmt"
	"strings"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/adminsocket"
)

type statusCmd struct{}

func (statusCmd) Run(s *console.Session) error {
	var readOnly string
	err := console.Items(s, "GET", "/status", nil, nil, func(h adminsocket.Status) error {
		readOnly = h.ReadOnly
		if s.JSON {
			return nil
		}
		_, err := fmt.Fprintf(s.Out, "ready      %t\nservices   %s\nlog        %d events, %s, generation %s\nblobs      %d, %s\ndisk       %s left for uploads\n",
			h.Ready, strings.Join(h.Services, ", "), h.Events, console.Size(int64(h.LogBytes)), h.Generation, h.Blobs, console.Size(h.BlobBytes), console.Size(h.Left))
		for _, m := range h.Managers {
			if err == nil && (m.Dead > 0 || m.LastError != "") { // the others work, and are in --json
				_, err = fmt.Fprintf(s.Out, "manager    %s: %d tasks due, %d failed too often; last error: %s\n", m.Name, m.Due, m.Dead, m.LastError)
			}
		}
		return err
	})
	if err == nil && readOnly != "" {
		return &console.ExitError{Err: errors.New(readOnly), Code: console.ExitGuard}
	}
	return err
}
