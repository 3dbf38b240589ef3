package leases

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A Pull counts fetches of manifests from one repository by one tag.
type Pull struct {
	Hour       time.Time // start of the hour; CountPulls rounds down to it
	Repository string    // id
	Tag        string    // "" for fetches by digest
	N          int64
	Latest     time.Time // of the last of them
}

// Hour is what was pulled in one hour, and the event that says so.
type Hour struct {
	From  time.Time
	Event string // id of the hour's event: always the same, whoever asks
	Pulls []Pull // in no order
}

// CountPulls adds to what was pulled. What comes for an hour that was read for
// its event already counts for the next one that was not.
func (s *Store) CountPulls(ctx context.Context, pulls []Pull) error {
	if len(pulls) == 0 {
		return nil
	}
	return s.change.run(ctx, countsHour, func(t *tx) error {
		closed, err := t.closedHours()
		if err != nil {
			return err
		}
		for _, p := range pulls {
			hour := p.Hour.UTC().Truncate(time.Hour)
			for closed[micros(hour)] {
				hour = hour.Add(time.Hour)
			}
			_, err := t.exec(`INSERT INTO pulls (hour, repository, tag, n, latest) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (hour, repository, tag) DO UPDATE SET n = pulls.n + excluded.n,
				latest = CASE WHEN excluded.latest > pulls.latest THEN excluded.latest ELSE pulls.latest END`,
				micros(hour), storable(p.Repository), storable(p.Tag), p.N, micros(p.Latest))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) closedHours() (map[int64]bool, error) {
	closed := map[int64]bool{}
	err := t.query(func(rows *sql.Rows) error {
		var hour int64
		err := rows.Scan(&hour)
		closed[hour] = true
		return err
	}, `SELECT hour FROM pull_hours`)
	return closed, err
}

// PullsOf lists what was pulled from a repository, or from all when it is
// empty, and is not in the log yet; in no order.
func (s *Store) PullsOf(ctx context.Context, repository string) (pulls []Pull, err error) {
	err = s.change.run(ctx, noLock, func(t *tx) error {
		pulls, err = t.pulls(`$1 IN ('', repository)`, storable(repository))
		return err
	})
	return pulls, err
}

func (t *tx) pulls(where string, arg any) (pulls []Pull, err error) {
	err = t.query(func(rows *sql.Rows) error {
		var p Pull
		var hour, latest int64
		err := rows.Scan(&hour, &p.Repository, &p.Tag, &p.N, &latest)
		p.Hour, p.Latest = fromMicros(hour), fromMicros(latest)
		pulls = append(pulls, p)
		return err
	}, `SELECT hour, repository, tag, n, latest FROM pulls WHERE `+where, arg)
	return pulls, err
}

// Hours lists the hours that ended by now and have counts that are not in the
// log yet, oldest first.
func (s *Store) Hours(ctx context.Context, now time.Time) (hours []time.Time, err error) {
	err = s.change.run(ctx, noLock, func(t *tx) error {
		hours = nil
		return t.query(func(rows *sql.Rows) error {
			var hour int64
			err := rows.Scan(&hour)
			hours = append(hours, fromMicros(hour))
			return err
		}, `SELECT DISTINCT hour FROM pulls WHERE hour < $1 ORDER BY hour`, micros(now.UTC().Truncate(time.Hour)))
	})
	return hours, err
}

// ReadHour closes an hour: nothing is counted into it any more, and its
// event's id is fixed. Appending that event and calling ClearHour may be
// repeated until both have succeeded; the log then has it once.
func (s *Store) ReadHour(ctx context.Context, hour time.Time) (h Hour, err error) {
	hour = hour.UTC().Truncate(time.Hour)
	err = s.change.run(ctx, closesHour, func(t *tx) error {
		h = Hour{From: hour}
		_, err := t.exec(`INSERT INTO pull_hours (hour, event) VALUES ($1, $2) ON CONFLICT (hour) DO NOTHING`, micros(hour), uuid.NewString())
		if err != nil {
			return err
		}
		err = t.query(func(rows *sql.Rows) error { return rows.Scan(&h.Event) }, `SELECT event FROM pull_hours WHERE hour = $1`, micros(hour))
		if err != nil {
			return err
		}
		h.Pulls, err = t.pulls(`hour = $1`, micros(hour))
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
	return s.change.run(ctx, closesHour, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM pulls WHERE hour = $1`, micros(hour)); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM pull_hours WHERE hour < $1 AND hour NOT IN (SELECT hour FROM pulls)`, micros(hour.Add(-closedFor)))
		return err
	})
}

// storable is text that PostgreSQL takes.
func storable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}
