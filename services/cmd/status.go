package cmd

import (
	"errors"
	"fmt"
	"strings"

	"hubledger/services/internal/adminsocket"
)

type statusCmd struct{}

func (statusCmd) Run(s *session) error {
	var readOnly string
	err := items(s, "GET", "/status", nil, nil, func(h adminsocket.Status) error {
		readOnly = h.ReadOnly
		if s.json {
			return nil
		}
		_, err := fmt.Fprintf(s.out, "ready      %t\nservices   %s\nlog        %d events, %s, generation %s\nblobs      %d, %s\ndisk       %s left for uploads\n",
			h.Ready, strings.Join(h.Services, ", "), h.Events, size(int64(h.LogBytes)), h.Generation, h.Blobs, size(h.BlobBytes), size(h.Left))
		return err
	})
	if err == nil && readOnly != "" {
		return &exitError{errors.New(readOnly), exitGuard}
	}
	return err
}
