package deploys

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// A Happening is an event of the subject of an environment.
type Happening struct {
	Payload         events.Payload
	Seq             uint64
	Time            time.Time
	Actor           string
	ID, Correlation string // of the event
}

const historyColumns = `SELECT h.seq, h.type, h.data, h.time, h.actor, h.event, h.correlation FROM history h `

func scanHappening(row projections.Row) (Happening, error) {
	var h Happening
	var kind, data string
	var at int64
	if err := row.Scan(&h.Seq, &kind, &data, &at, &h.Actor, &h.ID, &h.Correlation); err != nil {
		return h, err
	}
	h.Time = timeOf(at)
	e := events.Event{Seq: h.Seq, Data: []byte(data)}
	e.Set(events.AttrType, kind)
	var err error
	h.Payload, err = events.Decode(&e)
	return h, err
}

// Since lists the events of an environment, by its id, from the request for its latest
// deployment on, or all when nothing was deployed to it.
func (r Reader) Since(ctx context.Context, environment string) ([]Happening, error) {
	raw, err := key(environment)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanHappening, historyColumns+`WHERE h.environment = $1
		AND h.seq >= COALESCE((SELECT MAX(d.seq) FROM deployments d WHERE d.environment = $1), 0) ORDER BY h.seq`, raw)
}

// AsOf is Since as of a time or, when that is zero, of an event: what the log had up to then.
func (r Reader) AsOf(ctx context.Context, environment string, at time.Time, seq uint64) ([]Happening, error) {
	raw, err := key(environment)
	if err != nil {
		return nil, err
	}
	if at.IsZero() {
		return r.upTo(ctx, raw, seq)
	}
	var last uint64
	if err := r.DB.QueryRowContext(ctx, `SELECT COALESCE(MAX(h.seq), 0) FROM history h WHERE h.environment = $1 AND h.time <= $2`, raw, at.UnixMicro()).Scan(&last); err != nil {
		return nil, err
	}
	return r.upTo(ctx, raw, last)
}

// upTo is Since as of an event.
func (r Reader) upTo(ctx context.Context, environment []byte, last uint64) ([]Happening, error) {
	return projections.ListOf(ctx, r.DB, scanHappening, historyColumns+`WHERE h.environment = $1 AND h.seq <= $2
		AND h.seq >= COALESCE((SELECT MAX(d.seq) FROM deployments d WHERE d.environment = $1 AND d.seq <= $2), 0) ORDER BY h.seq`, environment, int64(last))
}

// Deployment lists the events of one deployment, by its id; ErrNotFound.
func (r Reader) Deployment(ctx context.Context, id string) ([]Happening, error) {
	raw, err := key(id)
	if err != nil {
		return nil, err
	}
	list, err := projections.ListOf(ctx, r.DB, scanHappening, historyColumns+`WHERE h.deployment = $1 ORDER BY h.seq`, raw)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	return list, err
}

// Deployments lists the ids of at most n deployments of an application, or of one of its
// environments where that is not "", by ids, the latest first, from before a sequence on; 0 is the beginning.
func (r Reader) Deployments(ctx context.Context, application, environment string, before uint64, n int) ([]string, error) {
	column, of := "application", application
	if environment != "" {
		column, of = "environment", environment
	}
	raw, err := key(of)
	if err != nil {
		return nil, err
	}
	if before == 0 {
		before = 1<<62 - 1
	}
	return projections.ListOf(ctx, r.DB, scanID, `SELECT d.deployment FROM deployments d WHERE d.`+column+` = $1 AND d.seq < $2 ORDER BY d.seq DESC LIMIT $3`, raw, int64(before), n)
}

func scanID(row projections.Row) (string, error) {
	var id []byte
	err := row.Scan(&id)
	return projections.IDOf(id), err
}

// Latest are the sequences of the latest events of all environments, by id, that live or had
// a deployment.
func (r Reader) Latest(ctx context.Context) (map[string]uint64, error) {
	return r.sequences(ctx, `SELECT l.environment, l.seq FROM latest l`)
}

// sequences are those that a query gives for environments.
func (r Reader) sequences(ctx context.Context, query string, args ...any) (map[string]uint64, error) {
	type row struct {
		id  string
		seq uint64
	}
	list, err := projections.ListOf(ctx, r.DB, func(from projections.Row) (row, error) {
		var of row
		var id []byte
		err := from.Scan(&id, &of.seq)
		of.id = projections.IDOf(id)
		return of, err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	all := make(map[string]uint64, len(list))
	for _, of := range list {
		all[of.id] = of.seq
	}
	return all, nil
}

// EnvironmentsOn are those that a host ever had something of, by ids.
func (r Reader) EnvironmentsOn(ctx context.Context, host string) ([]string, error) {
	raw, err := key(host)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanID, `SELECT p.environment FROM placed p WHERE p.host = $1 ORDER BY p.environment`, raw)
}

// LatestOn are the sequences of the latest events of the environments that a host ever had
// something of, by id; of one whose application was deleted, that of the deletion, if it is later. All are
// as of one moment.
func (r Reader) LatestOn(ctx context.Context, host string) (map[string]uint64, error) {
	raw, err := key(host)
	if err != nil {
		return nil, err
	}
	return r.sequences(ctx, `SELECT p.environment, CASE WHEN a.live = 0 AND a.seq > l.seq THEN a.seq ELSE l.seq END FROM placed p JOIN latest l ON l.environment = p.environment
		JOIN environments e ON e.environment = p.environment JOIN applications a ON a.application = e.application WHERE p.host = $1`, raw)
}

// Promoted says whether a release was ever promoted in an environment, by the environment's id.
func (r Reader) Promoted(ctx context.Context, environment string, release int) (bool, error) {
	raw, err := key(environment)
	if err != nil {
		return false, err
	}
	list, err := projections.ListOf(ctx, r.DB, scanID, `SELECT d.deployment FROM deployments d WHERE d.environment = $1 AND d.number = $2
		AND EXISTS (SELECT 1 FROM history h WHERE h.deployment = d.deployment AND h.type = $3) LIMIT 1`, raw, release, events.DeploymentPromoted{}.EventType())
	return len(list) > 0, err
}

// HostsOf are the hosts, by id, that ever had something of an environment.
func (r Reader) HostsOf(ctx context.Context, environment string) ([]string, error) {
	raw, err := key(environment)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanID, `SELECT p.host FROM placed p WHERE p.environment = $1 ORDER BY p.host`, raw)
}

// A Setting is how an environment is deployed to from the next deployment on.
type Setting[T any] struct {
	Value T
	Time  time.Time // zero when it was never set
	Actor string
	Seq   uint64
}

// Placement is the hosts of an environment, by its id.
func (r Reader) Placement(ctx context.Context, environment string) (Setting[events.Placement], error) {
	return setting[events.Placement](ctx, r, `SELECT p.placement, p.time, p.actor, p.seq FROM placements p WHERE p.environment = $1`, environment)
}

// Policy is the policy of an environment, by its id.
func (r Reader) Policy(ctx context.Context, environment string) (Setting[events.DeployPolicy], error) {
	return setting[events.DeployPolicy](ctx, r, `SELECT p.policy, p.time, p.actor, p.seq FROM policies p WHERE p.environment = $1`, environment)
}

func setting[T any](ctx context.Context, r Reader, query, environment string) (s Setting[T], err error) {
	raw, err := key(environment)
	if err != nil {
		return s, err
	}
	var data string
	var at int64
	_, err = one(&s, r.DB.QueryRowContext(ctx, query, raw).Scan(&data, &at, &s.Actor, &s.Seq))
	if errors.Is(err, ErrNotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Time = timeOf(at)
	return s, json.Unmarshal([]byte(data), &s.Value)
}

// A Place is an environment with its application, live or not.
type Place struct {
	Environment, Called string // id and name
	Application, Name   string // id and full name
	Namespace           string // id
	Ended               uint64 // sequence of what ended it, or its application; 0 while both live
}

// Place is the environment of an id; ErrNotFound.
func (r Reader) Place(ctx context.Context, environment string) (*Place, error) {
	raw, err := key(environment)
	if err != nil {
		return nil, err
	}
	e := Place{Environment: environment}
	var application, namespace []byte
	var lives, appLives int
	var seq, appSeq uint64
	err = r.DB.QueryRowContext(ctx, `SELECT e.name, e.application, e.live, e.seq, a.name, a.namespace, a.live, a.seq FROM environments e
		JOIN applications a ON a.application = e.application WHERE e.environment = $1`, raw).Scan(&e.Called, &application, &lives, &seq, &e.Name, &namespace, &appLives, &appSeq)
	if _, err := one(&e, err); err != nil {
		return nil, err
	}
	e.Application, e.Namespace = projections.IDOf(application), projections.IDOf(namespace)
	switch {
	case lives == 0:
		e.Ended = seq
	case appLives == 0:
		e.Ended = appSeq
	}
	return &e, nil
}

// Policies are those of all environments that have one, by id.
func (r Reader) Policies(ctx context.Context) (map[string]Setting[events.DeployPolicy], error) {
	type row struct {
		id string
		Setting[events.DeployPolicy]
	}
	list, err := projections.ListOf(ctx, r.DB, func(from projections.Row) (row, error) {
		var of row
		var id []byte
		var data string
		var at int64
		if err := from.Scan(&id, &data, &at, &of.Actor, &of.Seq); err != nil {
			return of, err
		}
		of.id, of.Time = projections.IDOf(id), timeOf(at)
		return of, json.Unmarshal([]byte(data), &of.Value)
	}, `SELECT p.environment, p.policy, p.time, p.actor, p.seq FROM policies p`)
	if err != nil {
		return nil, err
	}
	all := make(map[string]Setting[events.DeployPolicy], len(list))
	for _, of := range list {
		all[of.id] = of.Setting
	}
	return all, nil
}
