package cmd

import (
	"archive/tar"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// The flows of real clients against the real program. When all of them are
// done the hub loses every projection and has to give the same answers again
// from its log.
func TestClientsOnSQLite(t *testing.T) {
	h := startHub(t)
	testClients(t, h, func() {
		projections := filepath.Join(h.Data, "projections")
		if files, err := os.ReadDir(projections); err != nil || len(files) == 0 {
			t.Fatalf("no projections in %s: %v", projections, err)
		}
		if err := os.RemoveAll(projections); err != nil {
			t.Fatal(err)
		}
	})
}

func TestClientsOnPostgreSQL(t *testing.T) {
	database := postgres.URL(t)
	h := startHub(t, "--postgres-url", database)
	testClients(t, h, func() {
		conn, err := pgx.Connect(t.Context(), database)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		// A projection is a schema with the runner's own table in it.
		rows, _ := conn.Query(t.Context(), "SELECT quote_ident(schemaname) FROM pg_tables WHERE tablename = '_store'")
		schemas, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(schemas) == 0 {
			t.Fatalf("no projections in the database: %v", err)
		}
		for _, schema := range schemas {
			if _, err := conn.Exec(t.Context(), "DROP SCHEMA "+schema+" CASCADE"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func testClients(t *testing.T, h *hubProcess, loseProjections func()) {
	organizations(t, h, "alice", "bob", "carol", "dora", "erin", "mirror")
	for _, flow := range []struct {
		name string
		test func(*testing.T, *hubProcess)
	}{
		{"docker", testDocker},
		{"docker as of an earlier time", testDockerAsOf},
		{"docker manifest list", testDockerManifestList},
		{"docker to skopeo", testDockerToSkopeo},
		{"skopeo", testSkopeo},
		{"crane", testCrane},
		{"oras", testOras},
		{"containerd", testContainerd},
	} {
		t.Run(flow.name, func(t *testing.T) { flow.test(t, h) })
	}
	t.Run("the same answers from the log", func(t *testing.T) {
		gone := []string{"/v2/bob/tool/manifests/gone", "/v2/carol/app/manifests/arm", "/v2/carol/app/manifests/latest"}
		before := take(t, h, gone)
		if len(before.answers) < 20 {
			t.Fatalf("only %d answers to compare", len(before.answers))
		}
		h.Stop()
		loseProjections()
		h.Start()
		before.equal(take(t, h, gone))
	})
}

// organizations makes namespaces for the administrator to push to.
func organizations(t testing.TB, h *hubProcess, names ...string) {
	t.Helper()
	for _, name := range names {
		r := ask(t, "POST", h.URL+"/api/v1/orgs", strings.NewReader(`{"name":"`+name+`"}`), http.Header{"Content-Type": {"application/json"}})
		if r.status != http.StatusCreated {
			t.Fatalf("make organization %s: %d %s", name, r.status, r.body)
		}
	}
}

// untar returns the files of an archive by name.
func untar(t testing.TB, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := map[string]string{}
	for r := tar.NewReader(f); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = string(content)
	}
}
