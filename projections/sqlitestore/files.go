package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"hubledger/projections"
)

// same says whether two paths name one file.
func same(a, b string) bool {
	x, err := os.Stat(a)
	y, other := os.Stat(b)
	return err == nil && other == nil && os.SameFile(x, y)
}

// closeWAL moves a file's write-ahead log into the file, so that the file alone
// is the store. ErrInUse when somebody has the store open, ErrNoBuild when
// there is no such file.
func closeWAL(path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%s: %w", path, projections.ErrNoBuild)
	}
	conn, err := dial(path, "mode=rw", "busy_timeout(1000)")
	if err != nil {
		return err
	}
	defer conn.Close()
	rows, err := conn.QueryContext(context.Background(), "PRAGMA journal_mode = DELETE", nil)
	if err != nil {
		if isBusy(err) {
			return fmt.Errorf("%s: %w", path, projections.ErrInUse)
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	defer rows.Close()
	mode := make([]driver.Value, 1)
	if err := rows.Next(mode); err != nil || mode[0] != "delete" {
		return fmt.Errorf("%s: %w", path, projections.ErrInUse)
	}
	return nil
}

// prepareReplace makes a path ready for a new file to be renamed to it. An old
// file that is in use is an error; one that cannot be read is removed.
func prepareReplace(path string) error {
	switch err := closeWAL(path); {
	case err == nil || errors.Is(err, projections.ErrNoBuild):
		return nil
	case errors.Is(err, projections.ErrInUse):
		return err
	}
	return removeFiles(path)
}

// removeStore deletes a store that nobody has open.
func removeStore(path string) error {
	if err := closeWAL(path); errors.Is(err, projections.ErrInUse) {
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
