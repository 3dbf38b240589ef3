package cmd

import (
	"fmt"

	"hubledger/schemas/asyncapi"
	"hubledger/services/cmd/console"
)

type eventsAsyncAPICmd struct{}

func (eventsAsyncAPICmd) Run(s *console.Session) error {
	text, err := asyncapi.Document(buildInfo().Version)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s\n", text)
	return err
}
