package readmodel

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/projections/sqlitestore"
)

// Open opens the read models of these projections, and no others. The builds that
// are there are opened first, because they tell the log guard what the log was: check
// is its first check and gets all builds that are stored. What is missing is made only
// of a log that it trusts: a build of a damaged log would be taken for a whole one.
func (s *Set) Open(ctx context.Context, list []*projections.Projection, check func(known []projections.Info) error) error {
	for _, p := range list {
		s.models = append(s.models, s.Of(p))
	}
	known, err := s.knownBuilds(ctx)
	if err != nil {
		return err
	}
	for _, m := range s.models {
		if m.isIn(known) {
			if err := m.open(ctx, s.storage, ""); err != nil {
				return err
			}
		}
	}
	if err := s.Log.WhileStarting(ctx, func() error { return check(known) }); err != nil {
		return err
	}
	return s.openMissing(ctx)
}

// CatchUp brings the read models to the end of the log. From then on they follow it.
func (s *Set) CatchUp(ctx context.Context) error {
	for _, m := range s.models {
		if err := m.catchUp(ctx); err != nil {
			return err
		}
	}
	return nil
}

// knownBuilds are the builds that are stored. Those of the log from which this one
// was restored are put aside first, if the restore was interrupted before it did.
func (s *Set) knownBuilds(ctx context.Context) ([]projections.Info, error) {
	known, err := s.storage.List(ctx)
	if err != nil {
		s.Logger.Warn("the position of some builds of projections is not known", "error", err)
	}
	previous := 0
	for _, b := range known {
		if b.Generation != s.Log.Follows() {
			return known, nil
		}
		previous++
	}
	if previous == 0 || s.Log.ReadOnly() != nil {
		return known, nil
	}
	_, err = PutAside(ctx, s.Data, s.PostgresURL, s.Log.Generation())
	return nil, err
}

// unbuiltDir, in the data directory, has the empty read models of openMissing.
const unbuiltDir = "unbuilt"

// isIn says whether the live build is one of those.
func (m *Model) isIn(known []projections.Info) bool {
	for _, b := range known {
		if b.Name == m.Projection.Name && b.Version == m.Projection.Version && b.Build == projections.Live {
			return true
		}
	}
	return false
}

// openMissing opens the read models of which there is no build: as new ones, or
// while the log is read-only as empty ones that are deleted at the stop.
func (s *Set) openMissing(ctx context.Context) error {
	if err := RemoveUnbuilt(s.Data); err != nil {
		return err
	}
	storage := s.storage
	if s.Log.ReadOnly() != nil {
		storage = sqlitestore.Dir(filepath.Join(s.Data, unbuiltDir))
	}
	for _, m := range s.models {
		if m.current != nil {
			continue
		}
		if err := m.open(ctx, storage, s.Log.Generation()); err != nil {
			return err
		}
		// Requests are not answered from the journal.
		if s.Log.ReadOnly() != nil && m.Projection != &journal.Projection {
			s.missing = append(s.missing, m.Projection.Name)
		}
	}
	return nil
}

// RemoveUnbuilt deletes the empty read models that stood for missing ones in a data
// directory. They must be closed.
func RemoveUnbuilt(data string) error { return os.RemoveAll(filepath.Join(data, unbuiltDir)) }

// PutAside removes the projections of other generations of the log than the named one, so
// that the next start builds them anew. SQLite files are moved to the folder aside; PostgreSQL
// schemas are dropped, since the log has all that is in them.
func PutAside(ctx context.Context, data, postgres, generation string) (aside string, err error) {
	if postgres == "" {
		aside = filepath.Join(data, "projections.before-"+generation)
		err := os.Rename(filepath.Join(data, "projections"), aside)
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		return aside, err
	}
	storage := Storage(data, postgres)
	builds, err := storage.List(ctx)
	for _, b := range builds {
		if b.Generation != generation {
			err = errors.Join(err, storage.Drop(ctx, b.Name, b.Version, b.Build))
		}
	}
	return "", err
}
