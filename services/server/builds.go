package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/projections/sqlitestore"
	"hubledger/services/internal/service"
)

// openReadModels opens the read models of the services that this node runs, and
// no others. The builds that are there are opened first, because they tell the log
// guard what the log was. What is missing is made only of a log that it trusts: a
// build of a damaged log would be taken for a whole one.
func (n *Node) openReadModels(ctx context.Context) error {
	for _, p := range readModelsOf(n.services) {
		n.models = append(n.models, n.readModel(p))
	}
	known, err := n.knownBuilds(ctx)
	if err != nil {
		return err
	}
	for _, m := range n.models {
		if m.isIn(known) {
			if err := m.open(ctx, n.storage, ""); err != nil {
				return err
			}
		}
	}
	if err := n.log.WhileStarting(ctx, func() error { return n.checkLog(ctx, known) }); err != nil {
		return err
	}
	return n.openMissing(ctx)
}

// knownBuilds are the builds that are stored. Those of the log from which this one
// was restored are put aside first, if the restore was interrupted before it did.
func (n *Node) knownBuilds(ctx context.Context) ([]projections.Info, error) {
	known, err := n.storage.List(ctx)
	if err != nil {
		n.Logger.Warn("the position of some builds of projections is not known", "error", err)
	}
	previous := 0
	for _, b := range known {
		if b.Generation != n.log.Follows() {
			return known, nil
		}
		previous++
	}
	if previous == 0 || n.log.ReadOnly() != nil {
		return known, nil
	}
	_, err = PutAside(ctx, n.Data, n.PostgresURL, n.log.Generation())
	return nil, err
}

// unbuiltDir, in the data directory, has the empty read models of openMissing.
const unbuiltDir = "unbuilt"

// isIn says whether the live build is one of those.
func (m *readModel) isIn(known []projections.Info) bool {
	for _, b := range known {
		if b.Name == m.projection.Name && b.Version == m.projection.Version && b.Build == projections.Live {
			return true
		}
	}
	return false
}

// openMissing opens the read models of which there is no build: as new ones, or
// while the log is read-only as empty ones that are deleted at the stop.
func (n *Node) openMissing(ctx context.Context) error {
	unbuilt := filepath.Join(n.Data, unbuiltDir)
	if err := os.RemoveAll(unbuilt); err != nil {
		return err
	}
	storage := n.storage
	if n.log.ReadOnly() != nil {
		storage = sqlitestore.Dir(unbuilt)
	}
	for _, m := range n.models {
		if m.current != nil {
			continue
		}
		if err := m.open(ctx, storage, n.log.Generation()); err != nil {
			return err
		}
		// Requests are not answered from the journal.
		if n.log.ReadOnly() != nil && m.projection != &journal.Projection {
			n.unbuilt = append(n.unbuilt, m.projection.Name)
		}
	}
	if len(n.unbuilt) == 0 {
		return nil
	}
	var err error
	n.router, err = service.NewRouter([]service.Service{n.pages()}, func(w http.ResponseWriter, r *http.Request, _ int, _ string) {
		http.Error(w, n.readOnlyText(r), http.StatusServiceUnavailable)
	})
	return err
}

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

// mode says in one sentence what a node with an untrusted log does.
func (n *Node) mode() string {
	if len(n.unbuilt) > 0 {
		return fmt.Sprintf("Hubledger serves neither pulls nor pushes: its log is not trusted, and no projection is built from it, of which these are missing: %s.",
			strings.Join(n.unbuilt, ", "))
	}
	return "Hubledger is read-only: pulls work, pushes and deletions do not."
}

// readOnlyText is the mode, and the reason to those who may know it.
func (n *Node) readOnlyText(r *http.Request) string { return n.mode() + n.reason(r) }
