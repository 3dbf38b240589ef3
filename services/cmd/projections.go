package cmd

import (
	"fmt"

	"hubledger/services/internal/adminsocket"
)

type projectionsCmd struct {
	Ls      projectionsLsCmd      `cmd:"" help:"List projections with their positions, lag and parked events."`
	Prepare projectionsPrepareCmd `cmd:"" help:"Build a projection from the journal, alongside the live build."`
	Compare projectionsCompareCmd `cmd:"" help:"Run the same queries on the live and the prepared build."`
	Switch  projectionsSwitchCmd  `cmd:"" help:"Make the prepared build live, or with --back the previous build."`
}

type projectionsLsCmd struct{}

func (projectionsLsCmd) Run(s *session) error {
	var rows [][]string
	err := items(s, "GET", "/projections", nil, nil, func(p adminsocket.Projection) error {
		rows = append(rows, []string{p.Name, fmt.Sprint(p.Version), fmt.Sprint(p.Position), fmt.Sprint(p.Lag), fmt.Sprint(len(p.Parked))})
		return nil
	})
	if err != nil || s.json {
		return err
	}
	return s.table([]string{"NAME", "VERSION", "POSITION", "LAG", "PARKED"}, rows)
}
