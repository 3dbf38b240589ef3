package deploys

import (
	"context"
	"time"

	"hubledger/projections"
)

// A Hook is the URL of a gate.
type Hook struct {
	Environment string // id
	Gate        string // name
	Record      string // of the key that its requests are signed with; "": the URL is enough
	Time        time.Time
	Actor       string
	Seq         uint64
}

const hookColumns = `SELECT h.environment, h.gate, h.record, h.time, h.actor, h.seq FROM hooks h `

func scanHook(row projections.Row) (Hook, error) {
	var h Hook
	var environment []byte
	var at int64
	err := row.Scan(&environment, &h.Gate, &h.Record, &at, &h.Actor, &h.Seq)
	h.Environment, h.Time = projections.IDOf(environment), timeOf(at)
	return h, err
}

// HookOf is the URL whose secret has a hash; ErrNotFound.
func (r Reader) HookOf(ctx context.Context, hash []byte) (*Hook, error) {
	h, err := scanHook(r.DB.QueryRowContext(ctx, hookColumns+`WHERE h.hash = $1 AND h.live = 1`, hash))
	return one(&h, err)
}

// Hooks are the URLs of the gates of an environment, by its id.
func (r Reader) Hooks(ctx context.Context, environment string) ([]Hook, error) {
	raw, err := key(environment)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanHook, hookColumns+`WHERE h.environment = $1 AND h.live = 1 ORDER BY h.gate`, raw)
}
