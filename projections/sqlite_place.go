package projections

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
)

type sqlitePlace struct{ dir string }

// SQLiteDir is the Place of SQLite files in one directory.
func SQLiteDir(dir string) Place { return sqlitePlace{dir} }

func (d sqlitePlace) Open(ctx context.Context, p *Projection, o Options) (Store, error) {
	return OpenSQLite(ctx, d.dir, p, o)
}

func (d sqlitePlace) load(_ context.Context, m *model, b Build) (loader, error) {
	return newSQLiteLoader(m, sqlitePath(d.dir, m.Projection, b))
}

func (d sqlitePlace) spill() string { return d.dir }

var sqliteName = regexp.MustCompile(`^([a-z]+)-v([0-9]+)(?:\.(next|prev))?\.db$`)

func (d sqlitePlace) List(ctx context.Context) ([]Info, error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var list []Info
	for _, e := range entries {
		match := sqliteName.FindStringSubmatch(e.Name())
		if match == nil {
			continue
		}
		info := Info{Name: match[1], Build: Build(match[3])}
		info.Version, _ = strconv.Atoi(match[2])
		path := filepath.Join(d.dir, e.Name())
		if info.Position, info.Generation, err = sqliteDescribe(ctx, path); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, suffix := range []string{"", "-wal"} {
			if stat, err := os.Stat(path + suffix); err == nil {
				info.Size += stat.Size()
			}
		}
		list = append(list, info)
	}
	return list, nil
}

func sqliteDescribe(ctx context.Context, path string) (position uint64, generation string, err error) {
	conn, err := sqliteDSN(path, "mode=ro", "busy_timeout(5000)").Connect(ctx)
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, "SELECT position, generation FROM _store", nil)
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
func (d sqlitePlace) Switch(_ context.Context, p *Projection) error {
	live, next, prev := sqlitePath(d.dir, p, Live), sqlitePath(d.dir, p, Next), sqlitePath(d.dir, p, Prev)
	if err := settle(next); err != nil {
		return err
	}
	switch err := settle(live); {
	case errors.Is(err, ErrNoBuild):
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

func (d sqlitePlace) Back(_ context.Context, p *Projection) error {
	live, next, prev := sqlitePath(d.dir, p, Live), sqlitePath(d.dir, p, Next), sqlitePath(d.dir, p, Prev)
	for _, path := range []string{prev, live} {
		if err := settle(path); err != nil {
			return err
		}
	}
	if same(live, prev) { // a switch that did not get to its end
		return fmt.Errorf("%s: %w", prev, ErrNoBuild)
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

func (d sqlitePlace) Drop(_ context.Context, name string, version int, b Build) error {
	return removeStore(sqlitePath(d.dir, &Projection{Name: name, Version: version}, b))
}
