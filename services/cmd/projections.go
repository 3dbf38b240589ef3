package cmd

import (
	"context"
	"fmt"
	"net/http"

	"hubledger/projections"
)

type projectionsCmd struct {
	Ls      projectionsLsCmd      `cmd:"" help:"List projections with their positions."`
	Prepare projectionsPrepareCmd `cmd:"" help:"Build a projection beside the live one, from the journal."`
	Compare projectionsCompareCmd `cmd:"" help:"Ask the live and the prepared build the same questions."`
	Switch  projectionsSwitchCmd  `cmd:"" help:"Make the prepared build live, or with --back the previous one."`
}

type projectionsLsCmd struct{}

// A projectionItem is one line of projections ls.
type projectionItem struct {
	Name     string               `json:"name"`
	Version  int                  `json:"version"`
	Position uint64               `json:"position"`
	Lag      uint64               `json:"lag"` // events of the log that are not committed yet
	Parked   []projections.Parked `json:"parked,omitempty"`
}

func (projectionsLsCmd) Run(s *session) error {
	var rows [][]string
	err := items(s, "GET", "/projections", nil, nil, func(p projectionItem) error {
		rows = append(rows, []string{p.Name, fmt.Sprint(p.Version), fmt.Sprint(p.Position), fmt.Sprint(p.Lag), fmt.Sprint(len(p.Parked))})
		return nil
	})
	if err != nil || s.json {
		return err
	}
	return s.table([]string{"NAME", "VERSION", "POSITION", "LAG", "PARKED"}, rows)
}

func (h *hub) adminProjections(ctx context.Context, _ *http.Request, a *answer) error {
	last, err := h.log.LastSeq(ctx)
	if err != nil {
		return err
	}
	for _, v := range h.views {
		parked, err := v.now().runner.Parked(ctx)
		if err != nil {
			return err
		}
		position := v.Position()
		if err := a.item(projectionItem{v.projection.Name, v.projection.Version, position, last - min(position, last), parked}); err != nil {
			return err
		}
	}
	return nil
}
