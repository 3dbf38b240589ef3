package deploys

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// ErrNotFound says that the read model has no live row with that name or id.
var ErrNotFound = errors.New("not found")

// Reader queries the read model. Ids are UUIDs as text; an id that is no UUID is
// not found.
type Reader struct{ DB projections.DB }

func key(id string) ([]byte, error) {
	raw, err := projections.IDBytes(id)
	if err != nil {
		return nil, fmt.Errorf("id %q: %w", id, ErrNotFound)
	}
	return raw, nil
}

func timeOf(micro int64) time.Time { return time.UnixMicro(micro).UTC() }

func one[T any](v *T, err error) (*T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// An Application is one that lives.
type Application struct {
	ID, Namespace string // ids
	Name          string // full name
	Digest        string // of its Compose file
	Keep          int    // so many latest releases keep their images
	Latest        int    // number of its latest release, 0 for none
	Changed       time.Time
	Actor         string // who changed it last
	Seq           uint64
}

const applicationColumns = `SELECT a.application, a.namespace, a.name, a.digest, a.keep, COALESCE((SELECT MAX(r.number) FROM releases r WHERE r.application = a.application), 0),
	a.time, a.actor, a.seq FROM applications a `

func scanApplication(row projections.Row) (Application, error) {
	var a Application
	var id, namespace []byte
	var changed int64
	err := row.Scan(&id, &namespace, &a.Name, &a.Digest, &a.Keep, &a.Latest, &changed, &a.Actor, &a.Seq)
	a.ID, a.Namespace, a.Changed = projections.IDOf(id), projections.IDOf(namespace), timeOf(changed)
	return a, err
}

// Application is the live one of that full name; ErrNotFound.
func (r Reader) Application(ctx context.Context, name string) (*Application, error) {
	a, err := scanApplication(r.DB.QueryRowContext(ctx, applicationColumns+`WHERE a.name = $1 AND a.live = 1`, projections.Stored(name)))
	return one(&a, err)
}

// Applications lists at most n of a namespace, by its id, behind a name.
func (r Reader) Applications(ctx context.Context, namespace, after string, n int) ([]Application, error) {
	raw, err := key(namespace)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanApplication, applicationColumns+`WHERE a.namespace = $1 AND a.live = 1 AND a.name > $2 ORDER BY a.name LIMIT $3`, raw, after, n)
}

// Compose is the text of a Compose file that an application has, or had; ErrNotFound.
func (r Reader) Compose(ctx context.Context, application, digest string) (string, error) {
	raw, err := key(application)
	if err != nil {
		return "", err
	}
	var content string
	text, err := one(&content, r.DB.QueryRowContext(ctx, `SELECT c.content FROM composes c WHERE c.application = $1 AND c.digest = $2`, raw, digest).Scan(&content))
	if err != nil {
		return "", err
	}
	return *text, nil
}

// An Environment is one that lives.
type Environment struct {
	ID, Application string // ids
	Name            string
	Created         time.Time
	Actor           string // who created it
	Configuration   Configuration
}

// A Configuration is one version of what an environment is set to. Version 0 has nothing.
type Configuration struct {
	Version int
	Changed []string // names of what differs from the version before
	Values  []events.ConfigurationRecord
	Secrets []events.ConfigurationRecord
	Time    time.Time
	Actor   string // who set it
	Seq     uint64 // of the event that set it, 0 for none
}

const latestConfiguration = `LEFT JOIN configurations c ON c.environment = e.environment AND c.version = (SELECT MAX(n.version) FROM configurations n WHERE n.environment = e.environment) `

// Environments are those of an application, by its id, by name.
func (r Reader) Environments(ctx context.Context, application string) ([]Environment, error) {
	raw, err := key(application)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanEnvironment, `SELECT e.environment, e.application, e.name, e.time, e.actor, COALESCE(c.version, 0), COALESCE(c.changed, '[]'), COALESCE(c.settings, '[]'), COALESCE(c.secrets, '[]'),
		COALESCE(c.time, 0), COALESCE(c.actor, ''), COALESCE(c.seq, 0) FROM environments e `+latestConfiguration+`WHERE e.application = $1 AND e.live = 1 ORDER BY e.name`, raw)
}

func scanEnvironment(row projections.Row) (Environment, error) {
	var e Environment
	var id, application []byte
	var created int64
	var c configurationRow
	if err := row.Scan(&id, &application, &e.Name, &created, &e.Actor, &c.Version, &c.changed, &c.values, &c.secrets, &c.time, &c.Actor, &c.Seq); err != nil {
		return e, err
	}
	e.ID, e.Application, e.Created = projections.IDOf(id), projections.IDOf(application), timeOf(created)
	var err error
	e.Configuration, err = c.read()
	return e, err
}

type configurationRow struct {
	Configuration
	changed, values, secrets string
	time                     int64
}

func (c configurationRow) read() (Configuration, error) {
	if c.time != 0 {
		c.Time = timeOf(c.time)
	}
	err := errors.Join(json.Unmarshal([]byte(c.changed), &c.Changed), json.Unmarshal([]byte(c.values), &c.Values), json.Unmarshal([]byte(c.secrets), &c.Secrets))
	return c.Configuration, err
}

// Configuration is one version of an environment's, which may be deleted; ErrNotFound.
// Version 0 has nothing.
func (r Reader) Configuration(ctx context.Context, environment string, version int) (*Configuration, error) {
	raw, err := key(environment)
	if err != nil || version == 0 {
		return &Configuration{}, err
	}
	var c configurationRow
	err = r.DB.QueryRowContext(ctx, `SELECT c.version, c.changed, c.settings, c.secrets, c.time, c.actor FROM configurations c WHERE c.environment = $1 AND c.version = $2`, raw, version).
		Scan(&c.Version, &c.changed, &c.values, &c.secrets, &c.time, &c.Actor)
	if err != nil {
		return one(&Configuration{}, err)
	}
	out, err := c.read()
	return &out, err
}
