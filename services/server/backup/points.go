package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hubledger/services/internal/durable"
)

// ErrNoPoint: a directory does not keep the backup of that name.
var ErrNoPoint = errors.New("there is no such backup in the directory: `hubledger backup ls DIR` lists those that can be restored")

func pointFile(id string) string { return "point-" + id + ".json" }

// Points are the complete backups that a directory keeps, the oldest first: the last one,
// and those before it that can be restored as well. The error wraps fs.ErrNotExist when
// there is none.
func Points(dir string) (list []Summary, err error) {
	last, err := ReadSummary(dir)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, pointFile("*")))
	if err != nil {
		return nil, err
	}
	slices.Sort(files) // their names are times
	for _, f := range files {
		s, err := readSummary(dir, filepath.Base(f))
		if err != nil {
			return nil, err
		}
		// Behind the last one there is only what was interrupted a moment too early.
		if s.ID < last.ID {
			list = append(list, s)
		}
	}
	return append(list, last), nil
}

// ReadPoint reads what one of the backups that are kept has. ErrNoPoint.
func ReadPoint(dir, id string) (Summary, error) {
	list, err := Points(dir)
	if err != nil {
		return Summary{}, err
	}
	k := slices.IndexFunc(list, func(s Summary) bool { return s.ID == id && id != "" })
	if k < 0 {
		return Summary{}, fmt.Errorf("%.100q: %w", id, ErrNoPoint)
	}
	return list[k], nil
}

func readSummary(dir, name string) (s Summary, err error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("%s: %w: %w", name, ErrDamaged, err)
	}
	return s, nil
}

// removeOlder removes what only backups need that are not kept. Secrets are those of the
// last one alone: one that was destroyed in the hub leaves the backup, too.
func removeOlder(ctx context.Context, c Config, dir string, s Summary) error {
	list, err := Points(dir)
	if err != nil {
		return err
	}
	if c.Keep > 0 { // a backup made by hand without it does not end those that others keep
		list = list[len(list)-min(c.Keep, len(list)):]
	}
	need := map[string]bool{s.SecretsFile: true}
	for _, p := range list {
		need[p.BlobsFile], need[pointFile(p.ID)] = true, true
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	remove := func(prefixes ...string) (err error) {
		for _, e := range entries {
			name := e.Name()
			if !need[name] && slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
				err = errors.Join(err, c.fs().Remove(filepath.Join(dir, name)))
			}
		}
		return errors.Join(err, durable.SyncDir(c.fs(), dir))
	}
	// What names a backup goes for good before what the backup consists of: it would come back
	// with the power, as one that is damaged.
	if err := remove("point-"); err != nil {
		return err
	}
	if err := remove("secrets-", "blobs-"); err != nil || c.Keep == 0 || c.Stores == nil {
		return err
	}
	return removeBlobsBut(ctx, c, dir, list)
}

// removeBlobsBut removes the blobs that none of the backups has.
func removeBlobsBut(ctx context.Context, c Config, dir string, list []Summary) error {
	need := map[string]bool{}
	for _, s := range list {
		if err := listedBlobs(dir, s, func(b listed) error {
			need[b.path(dir)] = true
			return nil
		}); err != nil {
			return err // nothing is removed by half a list
		}
	}
	for _, store := range stores {
		err := filepath.WalkDir(filepath.Join(dir, store, "blobs"), func(path string, e fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil || e.IsDir():
				return err
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case need[path]:
				return nil
			}
			return c.fs().Remove(path)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
