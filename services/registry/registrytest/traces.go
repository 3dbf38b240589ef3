package registrytest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/images"
)

// Traces is all that the hub keeps of what clients did: one line for the end
// of the log, each file of the blob store and each lease. Pins and what was
// pulled are not in it.
func (h *Hub) Traces() string {
	h.T.Helper()
	lines := []string{fmt.Sprintf("log ends at %d", h.LastSeq())}
	root := filepath.Join(h.Dir, "registry")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			info, ierr := e.Info()
			if ierr != nil {
				return ierr
			}
			lines = append(lines, fmt.Sprintf("file %s of %d bytes", strings.TrimPrefix(path, root), info.Size()))
		}
		return err
	})
	if err != nil {
		h.T.Fatal(err)
	}
	slices.Sort(lines[1:])
	return strings.Join(append(lines, h.LeaseRows()...), "\n")
}

// LeaseRows lists the leases, each as repository and digest.
func (h *Hub) LeaseRows() []string {
	h.T.Helper()
	driver, source := "sqlite", "file:"+h.operations()+"?mode=ro&_pragma=busy_timeout(5000)"
	if h.Postgres != "" {
		driver, source = "pgx", h.Postgres+"&search_path=hubledger_operational"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		h.T.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT repository, digest FROM leases ORDER BY repository, digest`)
	if err != nil {
		h.T.Fatal(err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var repo string
		var sum []byte
		if err := rows.Scan(&repo, &sum); err != nil {
			h.T.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("lease of %s on %x", repo, sum))
	}
	if err := rows.Err(); err != nil {
		h.T.Fatal(err)
	}
	return lines
}

// Rebuilt checks that a projection made anew from the log has the rows of the
// one that served.
func (h *Hub) Rebuilt() {
	h.T.Helper()
	ctx := context.Background()
	if err := h.Runner.Wait(ctx, h.LastSeq()); err != nil {
		h.T.Fatal(err)
	}
	cfg := bulk.Config{Projection: &images.Projection, Storage: h.Place(), Build: projections.Next, Source: h.Log,
		Generation: h.Log.Generation(), Logger: h.Logger}
	if err := bulk.Rebuild(ctx, cfg, nil); err != nil {
		h.T.Fatal(err)
	}
	next, err := h.Place().Open(ctx, &images.Projection, projections.Options{Build: projections.Next, Generation: h.Log.Generation(), Logger: h.Logger})
	if err != nil {
		h.T.Fatal(err)
	}
	defer next.Close()
	var served, rebuilt bytes.Buffer
	if err := projections.Dump(ctx, h.Store, &served); err != nil {
		h.T.Fatal(err)
	}
	if err := projections.Dump(ctx, next, &rebuilt); err != nil {
		h.T.Fatal(err)
	}
	if !bytes.Equal(served.Bytes(), rebuilt.Bytes()) {
		h.T.Fatalf("a projection made anew from the log differs:\nserved\n%.2000s\nrebuilt\n%.2000s", &served, &rebuilt)
	}
}
