// Package exports has where `hubledger events export` sends events to, and what it notes of
// how far it has come.
package exports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"hubledger/services/internal/durable"
)

// A Cursor says how far an export has come. It is kept in a file, so that a later one goes
// on from there.
type Cursor struct {
	// What is exported; a cursor of something else is refused.
	Generation string `json:"generation"` // of the log, "" before anything was exported
	Query      string `json:"query"`
	Format     string `json:"format"`
	Target     string `json:"target"` // without credentials

	After uint64 `json:"after"` // all that match as far as this sequence were delivered
	Bytes int64  `json:"bytes"` // that the file had then; of other targets 0

	path string
}

// OpenCursor reads the cursor in a file for an export, or begins one. With no path it begins
// one that is kept nowhere.
func OpenCursor(path string, want Cursor) (*Cursor, error) {
	want.path = path
	if path == "" {
		return &want, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &want, nil
	}
	if err != nil {
		return nil, err
	}
	c := Cursor{path: path}
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("%s is no cursor of an export: %w", path, err)
	}
	if c.Query != want.Query || c.Format != want.Format || c.Target != want.Target {
		return nil, fmt.Errorf("%s is the cursor of another export: of %q as %s to %s; name another file, or remove it to begin anew", path, c.Query, c.Format, c.Target)
	}
	return &c, nil
}

// Of makes sure that the cursor counts in a log.
func (c *Cursor) Of(generation string) error {
	if c.Generation != "" && c.Generation != generation {
		return fmt.Errorf("the log was restored since the last export, as generation %s after %s, and may have lost events that were exported: compare, and remove %s to begin anew", generation, c.Generation, c.path)
	}
	c.Generation = generation
	return nil
}

// Save keeps the cursor. Behind it nothing was delivered for sure.
func (c *Cursor) Save() error {
	if c.path == "" {
		return nil
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return durable.ReplaceFile(c.path, append(text, '\n'), 0o600)
}
