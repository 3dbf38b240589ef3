// Package projections has the commands on projections.
package projections

import (
	"fmt"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/adminsocket"
)

// Commands are the commands on projections.
type Commands struct {
	Ls      lsCmd      `cmd:"" help:"List projections with their positions, lag and parked events."`
	Prepare prepareCmd `cmd:"" help:"Build a projection from the journal, alongside the live build."`
	Compare compareCmd `cmd:"" help:"Run the same queries on the live and the prepared build."`
	At      atCmd      `cmd:"" help:"Build a projection as of an earlier time or event, into a file."`
	Switch  switchCmd  `cmd:"" help:"Make the prepared build live, or with --back the previous build."`
}

type lsCmd struct{}

func (lsCmd) Run(s *console.Session) error {
	var rows [][]string
	err := console.Items(s, "GET", "/projections", nil, nil, func(p adminsocket.Projection) error {
		rows = append(rows, []string{p.Name, fmt.Sprint(p.Version), fmt.Sprint(p.Position), fmt.Sprint(p.Lag), fmt.Sprint(len(p.Parked))})
		return nil
	})
	if err != nil || s.JSON {
		return err
	}
	return s.Table([]string{"NAME", "VERSION", "POSITION", "LAG", "PARKED"}, rows)
}
