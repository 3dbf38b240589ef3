package projections

import (
	"fmt"
	"net/url"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/adminsocket"
)

type switchCmd struct {
	Name string `arg:"" help:"Name of the projection, such as images."`
	Back bool   `help:"Make the build live that was live before the last switch."`
}

func (c *switchCmd) Run(s *console.Session) error {
	q := url.Values{}
	if c.Back {
		q.Set("back", "1")
	}
	return console.Items(s, "POST", "/projections/"+url.PathEscape(c.Name)+"/switch", q, nil, func(p adminsocket.Projection) error {
		if s.JSON {
			return nil
		}
		_, err := fmt.Fprintf(s.Out, "The other build of projection %s is now live, at event %d. The previous build is kept.\n", p.Name, p.Position)
		return err
	})
}
