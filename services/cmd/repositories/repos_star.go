package repositories

import "hubledger/services/cmd/console"

type reposStarCmd struct {
	named
	Remove bool `help:"Remove your star."`
}

func (c *reposStarCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	if c.Remove {
		return a.Change("DELETE", c.path()+"/star", nil, "Removed your star from "+c.Name)
	}
	return a.Change("PUT", c.path()+"/star", nil, "Starred "+c.Name)
}
