// Package pulls counts what is pulled: in memory first, each second into the
// operational store, and each hour into the log.
package pulls

import (
	"context"
	"database/sql"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/operations"
)

// A Pull counts fetches of manifests from one repository: by one tag or, with a
// Digest, of one manifest. Each fetch is counted in both ways.
type Pull struct {
	Hour       time.Time // start of the hour; Count rounds down to it
	Repository string    // id
	Tag        string    // "" for fetches by digest
	Digest     digest.Digest
	N          int64
	Latest     time.Time // of the last use, which need not be a fetch
}

// Hour is what was pulled in one hour, and the event that says so.
type Hour struct {
	From  time.Time
	Event string // id of the hour's event: always the same, whoever asks
	Pulls []Pull // in no order
}

// Count adds to what was pulled. What comes for an hour that was read for
// its event already counts for the next one that was not.
func (s *Store) Count(ctx context.Context, pulls []Pull) error {
	if len(pulls) == 0 {
		return nil
	}
	return s.ops.Change(ctx, countsHour, func(t *operations.Tx) error {
		closed, err := closedHours(t)
		if err != nil {
			return err
		}
		for _, p := range pulls {
			hour := p.Hour.UTC().Truncate(time.Hour)
			for closed[operations.Micros(hour)] {
				hour = hour.Add(time.Hour)
			}
			in, what := byTag, p.Tag
			if p.Digest != "" {
				in, what = byManifest, p.Digest.String()
			}
			_, err := t.Exec(`INSERT INTO `+in.name+` (hour, repository, `+in.column+`, n, latest) VALUES ($1, $2, $3, $4, $5)`+in.adding(),
				operations.Micros(hour), operations.Storable(p.Repository), operations.Storable(what), p.N, operations.Micros(p.Latest))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func closedHours(t *operations.Tx) (map[int64]bool, error) {
	closed := map[int64]bool{}
	err := t.Query(func(rows *sql.Rows) error {
		var hour int64
		err := rows.Scan(&hour)
		closed[hour] = true
		return err
	}, `SELECT hour FROM pull_hours`)
	return closed, err
}

// Of lists what was pulled from a repository, or from all when it is
// empty, and is not in the log yet; in no order.
func (s *Store) Of(ctx context.Context, repository string) (pulls []Pull, err error) {
	err = s.ops.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		pulls, err = pullsWhere(t, `$1 IN ('', repository)`, operations.Storable(repository))
		return err
	})
	return pulls, err
}

func pullsWhere(t *operations.Tx, where string, arg any) (pulls []Pull, err error) {
	for _, in := range tables {
		err = t.Query(func(rows *sql.Rows) error {
			var p Pull
			var hour, latest int64
			var what string
			err := rows.Scan(&hour, &p.Repository, &what, &p.N, &latest)
			p.Hour, p.Latest = operations.Time(hour), operations.Time(latest)
			if in == byManifest {
				p.Digest = digest.Digest(what)
			} else {
				p.Tag = what
			}
			pulls = append(pulls, p)
			return err
		}, `SELECT hour, repository, `+in.column+`, n, latest FROM `+in.name+` WHERE `+where, arg)
		if err != nil {
			return nil, err
		}
	}
	return pulls, nil
}

// Hours lists at most max hours that ended by now and have counts that are not
// in the log yet, oldest first.
func (s *Store) Hours(ctx context.Context, now time.Time, max int) (hours []time.Time, err error) {
	err = s.ops.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		hours = nil
		return t.Query(func(rows *sql.Rows) error {
			var hour int64
			err := rows.Scan(&hour)
			hours = append(hours, operations.Time(hour))
			return err
		}, `SELECT hour FROM pulls WHERE hour < $1 UNION SELECT hour FROM manifest_pulls WHERE hour < $1 ORDER BY hour LIMIT $2`, operations.Micros(now.UTC().Truncate(time.Hour)), max)
	})
	return hours, err
}

// ReadHour closes an hour: nothing is counted into it any more, and its event's
// id is fixed. That is event, unless the hour was closed before. Appending the
// event and calling ClearHour may be repeated until both have succeeded. Of an
// hour with more than maxRows counts by tag, or by manifest, the rest moves on to
// the next hour that is open, so that the event is never too large and nothing is
// left out.
func (s *Store) ReadHour(ctx context.Context, hour time.Time, event string) (h Hour, err error) {
	hour = hour.UTC().Truncate(time.Hour)
	err = s.ops.Change(ctx, closesHour, func(t *operations.Tx) error {
		h = Hour{From: hour}
		closed, err := t.Exec(`INSERT INTO pull_hours (hour, event) VALUES ($1, $2) ON CONFLICT (hour) DO NOTHING`, operations.Micros(hour), event)
		if err == nil && closed == 1 {
			err = carry(t, hour, s.maxRows)
		}
		if err != nil {
			return err
		}
		err = t.Query(func(rows *sql.Rows) error { return rows.Scan(&h.Event) }, `SELECT event FROM pull_hours WHERE hour = $1`, operations.Micros(hour))
		if err != nil {
			return err
		}
		h.Pulls, err = pullsWhere(t, `hour = $1`, operations.Micros(hour))
		return err
	})
	return h, err
}

// closedFor is how long an hour is remembered as closed after it was cleared:
// far longer than anyone holds counts back.
const closedFor = 48 * time.Hour

// ClearHour forgets an hour whose event is in the log.
func (s *Store) ClearHour(ctx context.Context, hour time.Time) error {
	hour = hour.UTC().Truncate(time.Hour)
	return s.ops.Change(ctx, closesHour, func(t *operations.Tx) error {
		for _, in := range tables {
			if _, err := t.Exec(`DELETE FROM `+in.name+` WHERE hour = $1`, operations.Micros(hour)); err != nil {
				return err
			}
		}
		_, err := t.Exec(`DELETE FROM pull_hours WHERE hour < $1 AND hour NOT IN (SELECT hour FROM pulls UNION SELECT hour FROM manifest_pulls)`,
			operations.Micros(hour.Add(-closedFor)))
		return err
	})
}
