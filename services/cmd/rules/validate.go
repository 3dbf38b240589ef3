package rules

import (
	"fmt"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/buildrule"
)

type validateCmd struct{ file }

func (c *validateCmd) Run(s *console.Session) error {
	if s.JSON {
		return c.list(s)
	}
	rules, err := readRules(s, c.File, true)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s has no errors (rules: %d).\n", c.File, len(rules))
	return err
}

// list prints the problems as JSON, one a line.
func (c *validateCmd) list(s *console.Session) error {
	text, err := readText(c.File)
	if err != nil {
		return err
	}
	_, problems := buildrule.ParseFile(text)
	for _, p := range problems {
		if err := s.Print(p); err != nil {
			return err
		}
	}
	return failed(c.File, problems)
}
