package deploys

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// A Release pins what an application is made of.
type Release struct {
	Number         int
	Digest         string // of the Compose file
	Images         []events.ReleaseImage
	Configurations []events.ReleaseConfiguration
	Note           string
	Made           time.Time
	Actor          string // who made it
	Seq            uint64
}

const releaseColumns = `SELECT r.number, r.digest, r.images, r.configurations, r.note, r.time, r.actor, r.seq FROM releases r `

func scanRelease(row projections.Row) (Release, error) {
	var r Release
	var images, configurations string
	var made int64
	if err := row.Scan(&r.Number, &r.Digest, &images, &configurations, &r.Note, &made, &r.Actor, &r.Seq); err != nil {
		return r, err
	}
	r.Made = timeOf(made)
	return r, errors.Join(json.Unmarshal([]byte(images), &r.Images), json.Unmarshal([]byte(configurations), &r.Configurations))
}

// Release is one of an application, by its id; ErrNotFound.
func (r Reader) Release(ctx context.Context, application string, number int) (*Release, error) {
	raw, err := key(application)
	if err != nil {
		return nil, err
	}
	out, err := scanRelease(r.DB.QueryRowContext(ctx, releaseColumns+`WHERE r.application = $1 AND r.number = $2`, raw, number))
	return one(&out, err)
}

// Releases lists at most n of an application, the latest first, from before a number on;
// 0 is the beginning.
func (r Reader) Releases(ctx context.Context, application string, before, n int) ([]Release, error) {
	raw, err := key(application)
	if err != nil {
		return nil, err
	}
	if before == 0 {
		before = 1<<31 - 1
	}
	return projections.ListOf(ctx, r.DB, scanRelease, releaseColumns+`WHERE r.application = $1 AND r.number < $2 ORDER BY r.number DESC LIMIT $3`, raw, before, n)
}

// NeededRecords are those of an environment, by its id, that may be used again:
// of its latest configuration, and of those that kept releases and those that were promoted in it
// last name. There are none when
// the environment or its application was deleted.
func (r Reader) NeededRecords(ctx context.Context, environment string) (map[string]bool, error) {
	raw, err := key(environment)
	if err != nil {
		return nil, err
	}
	needed := map[string]bool{}
	var application []byte
	var keep, latest int
	err = r.DB.QueryRowContext(ctx, `SELECT e.application, a.keep, COALESCE((SELECT MAX(r.number) FROM releases r WHERE r.application = a.application), 0) FROM environments e
		JOIN applications a ON a.application = e.application WHERE e.environment = $1 AND e.live = 1 AND a.live = 1`, raw).Scan(&application, &keep, &latest)
	if _, err := one(&keep, err); err != nil {
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		return nil, err
	}
	kept, err := projections.ListOf(ctx, r.DB, scanRelease, releaseColumns+`WHERE r.application = $1 AND r.number > $2`, application, latest-keep)
	if err != nil {
		return nil, err
	}
	var now int
	if err := r.DB.QueryRowContext(ctx, `SELECT COALESCE(MAX(c.version), 0) FROM configurations c WHERE c.environment = $1`, raw).Scan(&now); err != nil {
		return nil, err
	}
	promoted, err := r.promotedLast(ctx, raw, application, keep)
	if err != nil {
		return nil, err
	}
	versions := map[int]bool{now: true}
	for _, release := range append(kept, promoted...) {
		for _, c := range release.Configurations {
			if c.Environment == environment {
				versions[c.Version] = true
			}
		}
	}
	for v := range versions {
		c, err := r.Configuration(ctx, environment, v)
		if err != nil {
			return nil, err
		}
		for _, r := range slices.Concat(c.Values, c.Secrets) {
			needed[r.Record] = true
		}
	}
	return needed, nil
}

// promotedLast are at most n releases that were promoted in an environment, the latest ones.
func (r Reader) promotedLast(ctx context.Context, environment, application []byte, n int) ([]Release, error) {
	return projections.ListOf(ctx, r.DB, scanRelease, releaseColumns+`JOIN (SELECT d.number, MAX(h.seq) AS seq FROM deployments d JOIN history h ON h.deployment = d.deployment AND h.type = $2
		WHERE d.environment = $1 GROUP BY d.number ORDER BY 2 DESC LIMIT $3) l ON l.number = r.number WHERE r.application = $4 ORDER BY l.seq DESC`,
		environment, events.DeploymentPromoted{}.EventType(), n, application)
}
