package auth

import (
	"context"
	"errors"

	"hubledger/services/internal/access"
	"hubledger/services/internal/repository"
)

// allowed is what of the asked actions somebody has a right to now. What they
// have no right to, they get no token for; it is no error.
func (s *Auth) allowed(ctx context.Context, p access.Principal, asked resource) ([]string, error) {
	if asked.Type == typeRegistry {
		return asked.Actions, nil // what is listed or found is what they may see
	}
	name, err := repository.ParseName(asked.Name)
	if err != nil {
		return nil, nil
	}
	d, err := s.Rights.Repository(ctx, p, name.Full)
	if errors.Is(err, access.ErrParked) {
		return nil, nil // the registry says why
	}
	return grantable(asked.Actions, d.Level), err
}
