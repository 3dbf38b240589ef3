package deployer

import (
	"context"
	"errors"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/application"
	"hubledger/services/internal/deployment"
)

// leastSecret is how long a secret is at least that is masked: masking shorter ones would
// show by the gaps where they are, and tell more than it hides.
const leastSecret = 4

// masked is a failure without the secrets of its environment. Hosts mask them, too; what a host
// says is not trusted, and the log is for ever.
func (s *Deployer) masked(ctx context.Context, state deployment.State, f events.DeploymentFailed) (events.Payload, error) {
	place, err := s.Read.Place(ctx, state.Of.Environment)
	if err != nil {
		return nil, err
	}
	what, err := s.contents(ctx, place, state.Request.Release)
	if errors.Is(err, application.ErrInvalid) {
		f.Log, f.HealthLog = "", "" // it is not known what to mask
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	var pairs []string
	for _, value := range what.secrets {
		for _, part := range append(strings.Split(value, "\n"), value) {
			if len(part) >= leastSecret {
				pairs = append(pairs, part, "***")
			}
		}
	}
	mask := strings.NewReplacer(pairs...)
	f.Reason, f.Log, f.HealthLog = mask.Replace(f.Reason), mask.Replace(f.Log), mask.Replace(f.HealthLog)
	return f, nil
}
