package builds

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// A Source is a git repository that a namespace watches.
type Source struct {
	ID, Namespace string // ids
	Name          string // full name
	Settings      events.SourceSettings
	Changed       time.Time // latest change of the settings
	Actor         string    // who made it
	Seq           uint64    // its sequence
	Recorded      bool      // the first sweep is complete
}

const sourceColumns = `SELECT s.source, s.namespace, s.name, s.url, s.host, s.credentials, s.secret, s.username, s.deploy_key, s.host_key, s.hook_secret, s.build_existing, s.status, s.status_secret,
	s.time, s.actor, s.seq, CASE WHEN r.source IS NULL THEN 0 ELSE 1 END FROM sources s LEFT JOIN recorded r ON r.source = s.source `

func scanSource(row projections.Row) (Source, error) {
	var s Source
	var id, namespace []byte
	var changed int64
	err := row.Scan(&id, &namespace, &s.Name, &s.Settings.URL, &s.Settings.Host, &s.Settings.Credentials, &s.Settings.Secret, &s.Settings.User, &s.Settings.DeployKey,
		&s.Settings.HostKey, &s.Settings.HookSecret, &s.Settings.BuildExisting, &s.Settings.Status, &s.Settings.StatusSecret, &changed, &s.Actor, &s.Seq, &s.Recorded)
	s.ID, s.Namespace, s.Changed = projections.IDOf(id), projections.IDOf(namespace), timeOf(changed)
	return s, err
}

// Source is the live source of a full name; ErrNotFound.
func (r Reader) Source(ctx context.Context, name string) (*Source, error) {
	s, err := scanSource(r.DB.QueryRowContext(ctx, sourceColumns+`WHERE s.name = $1 AND s.live = 1`, projections.Stored(name)))
	return one(&s, err)
}

// SourceByID is a live source; ErrNotFound.
func (r Reader) SourceByID(ctx context.Context, id string) (*Source, error) {
	raw, err := key(id)
	if err != nil {
		return nil, err
	}
	s, err := scanSource(r.DB.QueryRowContext(ctx, sourceColumns+`WHERE s.source = $1 AND s.live = 1`, raw))
	return one(&s, err)
}

// Sources lists at most n live sources of a namespace by name, after last.
func (r Reader) Sources(ctx context.Context, namespace, last string, n int) ([]Source, error) {
	raw, err := key(namespace)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanSource, sourceColumns+`WHERE s.namespace = $1 AND s.live = 1 AND s.name > $2 ORDER BY s.name LIMIT $3`, raw, projections.Stored(last), n)
}

// CountSources is how many live sources a namespace has.
func (r Reader) CountSources(ctx context.Context, namespace string) (n int, err error) {
	raw, err := key(namespace)
	if err != nil {
		return 0, err
	}
	err = r.DB.QueryRowContext(ctx, `SELECT COUNT(*) FROM sources s WHERE s.namespace = $1 AND s.live = 1`, raw).Scan(&n)
	return n, err
}

// A Watched source is what a sweep is decided by.
type Watched struct {
	ID    string
	Seq   uint64 // of the latest change of its settings
	Rules uint64 // sequence of the latest rules that may test its pull requests, 0 for none
	Hook  uint64 // sequence of the latest webhook that is no ping, 0 when none came
}

// Watched lists all live sources.
func (r Reader) Watched(ctx context.Context) ([]Watched, error) {
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (Watched, error) {
		var w Watched
		var id []byte
		err := row.Scan(&id, &w.Seq, &w.Rules, &w.Hook)
		w.ID = projections.IDOf(id)
		return w, err
	}, `SELECT s.source, s.seq, `+testedBy+`, COALESCE((SELECT MAX(d.seq) FROM deliveries d WHERE d.source = s.source AND d.ping = 0), 0) FROM sources s WHERE s.live = 1`)
}

// Lives says whether a source was not unlinked; ErrNotFound when it was never linked.
func (r Reader) Lives(ctx context.Context, id string) (bool, error) {
	raw, err := key(id)
	if err != nil {
		return false, err
	}
	var live bool
	err = r.DB.QueryRowContext(ctx, `SELECT s.live FROM sources s WHERE s.source = $1`, raw).Scan(&live)
	_, err = one(&live, err)
	return live, err
}

// SourceName is the full name of the source with that id, linked or not any more.
func (r Reader) SourceName(ctx context.Context, id string) (name string, err error) {
	raw, err := key(id)
	if err != nil {
		return "", err
	}
	err = r.DB.QueryRowContext(ctx, `SELECT s.name FROM sources s WHERE s.source = $1`, raw).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return name, err
}
