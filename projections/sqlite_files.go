package projections

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

func same(a, b string) bool {
	x, err := os.Stat(a)
	y, other := os.Stat(b)
	return err == nil && other == nil && os.SameFile(x, y)
}

// settle empties a file's write-ahead log into it, so that the file alone is
// the store. It can only be done when nobody has the store open.
func settle(path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%s: %w", path, ErrNoBuild)
	}
	conn, err := sqliteDSN(path, "mode=rw", "busy_timeout(1000)").Connect(context.Background())
	if err != nil {
		return err
	}
	defer conn.Close()
	rows, err := conn.(driver.QueryerContext).QueryContext(context.Background(), "PRAGMA journal_mode = DELETE", nil)
	if err != nil {
		if isBusy(err) {
			return fmt.Errorf("%s: %w", path, ErrInUse)
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	defer rows.Close()
	mode := make([]driver.Value, 1)
	if err := rows.Next(mode); err != nil || mode[0] != "delete" {
		return fmt.Errorf("%s: %w", path, ErrInUse)
	}
	return nil
}

// retire makes way for a new file: one that is in use is an error, one that
// cannot be read is not.
func retire(path string) error {
	switch err := settle(path); {
	case err == nil || errors.Is(err, ErrNoBuild):
		return nil
	case errors.Is(err, ErrInUse):
		return err
	}
	return removeFiles(path)
}

// removeStore deletes a store that nobody has open.
func removeStore(path string) error {
	if err := settle(path); errors.Is(err, ErrInUse) {
		return err
	}
	return removeFiles(path)
}

func removeFiles(path string) error {
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
