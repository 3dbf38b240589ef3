package trackers

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"hubledger/services/internal/operations"
)

// The tables of what trackers have reported, and of the traffic that was seen meanwhile, in
// words that SQLite and PostgreSQL share. Times are microseconds since 1970 UTC. They are samples:
// only what a gate makes of them is in the log.
const schema = `
CREATE TABLE IF NOT EXISTS gate_issues (
	deployment TEXT   NOT NULL,
	gate       TEXT   NOT NULL,
	issue      TEXT   NOT NULL,
	colour     TEXT   NOT NULL,
	title      TEXT   NOT NULL,
	at         BIGINT NOT NULL, -- when it was reported first
	resolved   BIGINT NOT NULL, -- 1: it is so now
	PRIMARY KEY (deployment, gate, issue, colour)
);
CREATE TABLE IF NOT EXISTS gate_traffic (
	deployment TEXT   NOT NULL,
	host       TEXT   NOT NULL,
	counter    BIGINT NOT NULL, -- of the host's balancer, as it was seen last
	total      BIGINT NOT NULL, -- requests since it was seen first
	at         BIGINT NOT NULL,
	PRIMARY KEY (deployment, host)
);
`

const (
	// maxIssues bounds those of one gate in one deployment: beyond them nothing new is kept.
	maxIssues = 1000
	// keep is how long they are kept.
	keep = 30 * 24 * time.Hour
)

// Store keeps them in the operational store.
type Store struct{ *operations.Store }

// Define makes the tables, if they are not there.
func (s Store) Define(ctx context.Context) error { return s.Store.Define(ctx, schema) }

// An Issue is one that a gate has of a colour.
type Issue struct{ Issue, Title, Colour string }

// Take keeps what was reported of a deployment. An issue counts once for each colour, however
// often it is reported.
func (s Store) Take(ctx context.Context, deployment, gate string, reports []Report, now time.Time) error {
	return s.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		if _, err := t.Exec(`DELETE FROM gate_issues WHERE at < $1`, operations.Micros(now.Add(-keep))); err != nil {
			return err
		}
		for _, r := range reports {
			if r.Resolved {
				if _, err := t.Exec(`UPDATE gate_issues SET resolved = 1 WHERE deployment = $1 AND gate = $2 AND issue = $3 AND ($4 = '' OR colour = $4)`, deployment, gate, r.Issue, r.Colour); err != nil {
					return err
				}
				continue
			}
			if _, err := t.Exec(`INSERT INTO gate_issues (deployment, gate, issue, colour, title, at, resolved)
				SELECT $1, $2, $3, $4, $5, $6, 0 WHERE (SELECT COUNT(*) FROM gate_issues WHERE deployment = $1 AND gate = $2) < $7
				ON CONFLICT (deployment, gate, issue, colour) DO UPDATE SET resolved = 0`,
				deployment, gate, r.Issue, r.Colour, operations.Storable(r.Title), operations.Micros(now), maxIssues); err != nil {
				return err
			}
		}
		return nil
	})
}

// Open are the issues of a gate in a deployment that are not resolved, the earliest first.
func (s Store) Open(ctx context.Context, deployment, gate string) (list []Issue, err error) {
	err = s.Query(ctx, func(rows *sql.Rows) error {
		var i Issue
		err := rows.Scan(&i.Issue, &i.Title, &i.Colour)
		list = append(list, i)
		return err
	}, `SELECT issue, title, colour FROM gate_issues WHERE deployment = $1 AND gate = $2 AND resolved = 0 ORDER BY at, issue, colour`, deployment, gate)
	return list, err
}

// Only are those of one colour that the other one has not.
func Only(list []Issue, colour string) (only []Issue) {
	for _, i := range list {
		if i.Colour == colour && !slices.ContainsFunc(list, func(o Issue) bool { return o.Issue == i.Issue && o.Colour != colour }) {
			only = append(only, i)
		}
	}
	return only
}

// Traffic takes what the balancer of each host has counted of the new colour so far, and
// returns how many requests that are since the deployment was seen first. A counter that has
// fallen has begun anew.
func (s Store) Traffic(ctx context.Context, deployment string, counters map[string]int64, now time.Time) (total int64, err error) {
	err = s.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		if _, err := t.Exec(`DELETE FROM gate_traffic WHERE at < $1`, operations.Micros(now.Add(-keep))); err != nil {
			return err
		}
		for host, n := range counters {
			if _, err := t.Exec(`INSERT INTO gate_traffic (deployment, host, counter, total, at) VALUES ($1, $2, $3, 0, $4)
				ON CONFLICT (deployment, host) DO UPDATE SET counter = excluded.counter, at = excluded.at,
				total = gate_traffic.total + CASE WHEN excluded.counter >= gate_traffic.counter THEN excluded.counter - gate_traffic.counter ELSE excluded.counter END`,
				deployment, host, n, operations.Micros(now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	err = s.Query(ctx, func(rows *sql.Rows) error { return rows.Scan(&total) }, `SELECT COALESCE(SUM(total), 0) FROM gate_traffic WHERE deployment = $1`, deployment)
	return total, err
}
