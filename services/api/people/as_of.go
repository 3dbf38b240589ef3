package people

import (
	"context"

	"hubledger/projections/accounts"
	"hubledger/services/internal/asof"
	past "hubledger/services/internal/asof/people"
	"hubledger/services/internal/endpoint"
)

// AsOf is the parameter by which members and rights are asked for as of an earlier time.
type AsOf struct {
	When string `query:"as_of" maxLength:"40" doc:"As of that time, such as 2026-11-01T12:00:00Z, or when the event of that sequence was the last, such as s12345; by the rights that the caller has today"`
}

// Reader reads accounts as of that time, or as they are; done has to be called.
func (a AsOf) Reader(ctx context.Context, earlier past.Past, ns *accounts.Namespace) (read accounts.Reader, done func(), err error) {
	if a.When == "" {
		return earlier.Accounts, func() {}, nil
	}
	then, err := earlier.At(ctx, ns, a.When)
	if err != nil {
		return read, nil, endpoint.Located(err, "query.as_of", asof.ErrPoint, asof.ErrFuture, past.ErrTooMany)
	}
	return then.Reader, func() { then.Close() }, nil
}
