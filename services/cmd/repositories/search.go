package repositories

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Search is the command that searches the catalog.
type Search struct {
	console.Target
	Text  []string `arg:"" optional:"" help:"Words, or parts of a name; without any, all repositories are listed, the most starred first."`
	Topic string   `help:"Only repositories with this topic."`
	Sort  string   `help:"Order when no words are given: stars, updated or name." enum:"stars,updated,name," default:""`
	Limit int      `help:"Maximum number of results." default:"25"`
}

// Validate is called by kong.
func (c *Search) Validate() error {
	if c.Limit < 1 || c.Limit > 1000 {
		return errors.New("--limit must be between 1 and 1000")
	}
	return nil
}

func (c *Search) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	q := url.Values{"limit": {fmt.Sprint(min(c.Limit, 100))}}
	for name, value := range map[string]string{"q": strings.Join(c.Text, " "), "topic": c.Topic, "sort": c.Sort} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return console.ListFirst(a, "/search", q, c.Limit, "Nothing found among the repositories that you may see.",
		[]string{"NAME", "STARS", "PULLS", "PUSHED", "DESCRIPTION"}, func(r apitypes.Repository) []string {
			return []string{r.Name, fmt.Sprint(r.Stars), fmt.Sprint(r.Pulls), console.Time(r.Pushed), r.Description}
		})
}
