package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"hubledger/projections"
	"hubledger/projections/bulk"
)

type storage struct{ dir string }

var _ bulk.Loadable = storage{}

// Dir is the Storage of SQLite files in one directory, which is made when the
// first build is: <name>-v<version>.db, with .next or .prev before .db for builds
// other than the live one. Only one process may have a file open for writing. It
// can be loaded in bulk.
func Dir(dir string) projections.Storage { return storage{dir} }

func (d storage) Load(_ context.Context, m *projections.Model, b projections.Build) (bulk.Loader, error) {
	return newLoader(m, pathOf(d.dir, m.Projection, b))
}

func (d storage) Scratch() string { return d.dir }

var fileName = regexp.MustCompile(`^([a-z]+)-v([0-9]+)(?:\.(next|prev))?\.db$`)

func (d storage) List(ctx context.Context) ([]projections.Info, error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var list []projections.Info
	var damaged []error
	for _, e := range entries {
		match := fileName.FindStringSubmatch(e.Name())
		if match == nil {
			continue
		}
		info := projections.Info{Name: match[1], Build: projections.Build(match[3])}
		info.Version, _ = strconv.Atoi(match[2])
		path := filepath.Join(d.dir, e.Name())
		if info.Position, info.Generation, err = describe(ctx, path); err != nil {
			damaged = append(damaged, fmt.Errorf("%s: %w", path, err))
			continue
		}
		for _, suffix := range []string{"", "-wal"} {
			if stat, err := os.Stat(path + suffix); err == nil {
				info.Size += stat.Size()
			}
		}
		list = append(list, info)
	}
	return list, errors.Join(damaged...)
}

// describe reads what a file says of itself, whatever its tables.
func describe(ctx context.Context, path string) (position uint64, generation string, err error) {
	conn, err := dial(path, "mode=ro", "busy_timeout(5000)")
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	rows, err := conn.QueryContext(ctx, "SELECT position, generation FROM _store", nil)
	if err != nil {
		return 0, "", err
	}
	defer rows.Close()
	row := make([]driver.Value, 2)
	if err := rows.Next(row); err != nil && err != io.EOF {
		return 0, "", err
	}
	n, _ := row[0].(int64)
	generation, _ = row[1].(string)
	return uint64(n), generation, nil
}

// Switch gives the live file a second name first, so that a live file is there
// at every moment.
func (d storage) Switch(_ context.Context, p *projections.Projection) error {
	live, next, prev := pathOf(d.dir, p, projections.Live), pathOf(d.dir, p, projections.Next), pathOf(d.dir, p, projections.Prev)
	if err := closeWAL(next); err != nil {
		return err
	}
	switch err := closeWAL(live); {
	case errors.Is(err, projections.ErrNoBuild):
	case err != nil:
		return err
	default:
		if err := removeStore(prev); err != nil {
			return err
		}
		if err := os.Link(live, prev); err != nil {
			return err
		}
	}
	if err := os.Rename(next, live); err != nil {
		return err
	}
	return syncPath(d.dir)
}

func (d storage) Back(_ context.Context, p *projections.Projection) error {
	live, next, prev := pathOf(d.dir, p, projections.Live), pathOf(d.dir, p, projections.Next), pathOf(d.dir, p, projections.Prev)
	for _, path := range []string{prev, live} {
		if err := closeWAL(path); err != nil {
			return err
		}
	}
	if same(live, prev) { // a switch that did not get to its end
		return fmt.Errorf("%s: %w", prev, projections.ErrNoBuild)
	}
	if err := removeStore(next); err != nil {
		return err
	}
	if err := os.Link(live, next); err != nil {
		return err
	}
	if err := os.Rename(prev, live); err != nil {
		return err
	}
	return syncPath(d.dir)
}

func (d storage) Drop(_ context.Context, name string, version int, b projections.Build) error {
	return removeStore(pathOf(d.dir, &projections.Projection{Name: name, Version: version}, b))
}
