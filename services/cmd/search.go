package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"hubledger/services/internal/apitypes"
)

type searchCmd struct {
	target
	Text  []string `arg:"" optional:"" help:"Words, or parts of a name; without any, all repositories are listed, the most starred first."`
	Topic string   `help:"Only repositories with this topic."`
	Sort  string   `help:"Order when no words are given: stars, updated or name." enum:"stars,updated,name," default:""`
	Limit int      `help:"Maximum number of results." default:"25"`
}

// Validate is called by kong.
func (c *searchCmd) Validate() error {
	if c.Limit < 1 || c.Limit > 1000 {
		return errors.New("--limit must be between 1 and 1000")
	}
	return nil
}

func (c *searchCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	q := paged()
	q.Set("limit", fmt.Sprint(min(c.Limit, 100)))
	for name, value := range map[string]string{"q": strings.Join(c.Text, " "), "topic": c.Topic, "sort": c.Sort} {
		if value != "" {
			q.Set(name, value)
		}
	}
	var rows [][]string
	enough, n := errors.New("enough"), 0
	err = a.each("/search", q, func(raw json.RawMessage) error {
		if n++; n > c.Limit {
			return enough
		}
		if s.json {
			return s.raw(raw)
		}
		var r apitypes.Repository
		if err := json.Unmarshal(raw, &r); err != nil {
			return fmt.Errorf("the hub's answer cannot be read: %w", err)
		}
		rows = append(rows, []string{r.Name, fmt.Sprint(r.Stars), fmt.Sprint(r.Pulls), at(r.Pushed), r.Description})
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	if err != nil || s.json {
		return err
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(s.out, "Nothing found among the repositories that you may see.")
		return err
	}
	return s.table([]string{"NAME", "STARS", "PULLS", "PUSHED", "DESCRIPTION"}, rows)
}
