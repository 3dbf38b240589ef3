package hostagent

import (
	"context"

	"hubledger/services/internal/hosting"
)

// Empty is the planner of a node without a deployer: nothing is to run.
type Empty struct{ Generation func() string }

// Desired is of hosting.Planner.
func (e Empty) Desired(context.Context, string) (hosting.State, error) {
	return hosting.State{Generation: e.Generation()}, nil
}

// Changed is of hosting.Planner.
func (Empty) Changed(string) <-chan struct{} { return nil }

// Observed is of hosting.Planner.
func (Empty) Observed(context.Context, string, hosting.Observation) error { return nil }

// Pulls is of hosting.Planner.
func (Empty) Pulls(context.Context, string, string) (bool, error) { return false, nil }
