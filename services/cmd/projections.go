package cmd

import (
	"fmt"

	"hubledger/services/internal/adminsocket"
)

type projectionsCmd struct {
	Ls      projectionsLsCmd      `cmd:"" help:"List projections with their positions."`
	Prepare projectionsPrepareCmd `cmd:"" help:"Build a projection beside the live one, from the journal."`
	Compare projectionsCompareCmd `cmd:"" help:"Ask the live and the prepared build the same questions."`
	Switch  projectionsSwitchCmd  `cmd:"" help:"Make the prepared build live, or with --back the previous one."`
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
