package builds

import (
	"context"
	"fmt"
	"strings"

	"hubledger/projections"
)

// Among says which builds a list over several repositories has.
type Among struct {
	All                      bool     // every repository; else those of the two below
	Namespaces, Repositories []string // ids; together at most MaxAmong
	Source                   string   // id; "" for any
	State, Outcome           string   // "" for any
}

// MaxAmong bounds the ids of an Among: a statement has no more values.
const MaxAmong = 1000

// BuildsAmong lists at most n builds, the latest first, from before a sequence on; 0 is
// the beginning.
func (r Reader) BuildsAmong(ctx context.Context, a Among, before uint64, n int) ([]Build, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	args := []any{int64(before)}
	hold := func(value any) string {
		args = append(args, value)
		return fmt.Sprintf("$%d", len(args))
	}
	where := []string{"q.seq < $1"}
	if !a.All {
		var any []string
		for _, list := range []struct {
			column string
			ids    []string
		}{{"q.namespace", a.Namespaces}, {"q.repository", a.Repositories}} {
			var held []string
			for _, id := range list.ids {
				raw, err := key(id)
				if err != nil {
					return nil, err
				}
				held = append(held, hold(raw))
			}
			if len(held) > 0 {
				any = append(any, list.column+" IN ("+strings.Join(held, ", ")+")")
			}
		}
		if len(any) == 0 {
			return nil, nil
		}
		where = append(where, "("+strings.Join(any, " OR ")+")")
	}
	if a.Source != "" {
		raw, err := key(a.Source)
		if err != nil {
			return nil, err
		}
		where = append(where, "q.source = "+hold(raw))
	}
	if a.State != "" {
		where = append(where, "s.state = "+hold(a.State))
	}
	if a.Outcome != "" {
		where = append(where, "s.outcome = "+hold(a.Outcome))
	}
	return projections.ListOf(ctx, r.DB, scanBuild, buildColumns+`WHERE `+strings.Join(where, " AND ")+` ORDER BY q.seq DESC LIMIT `+hold(n), args...)
}
