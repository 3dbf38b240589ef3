package builds

import (
	"fmt"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type keyCmd struct{ console.Target }

func (c *keyCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Send(a, "GET", "/provenance-key", nil, func(v apitypes.ProvenanceKey) error {
		_, err := fmt.Fprint(s.Out, v.PEM)
		return err
	})
}
