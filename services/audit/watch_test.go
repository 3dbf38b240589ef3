package audit_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/audit/tree"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
	"hubledger/streams"
)

// A hub that finds that its log is not the one that was signed signs nothing, and is
// read-only, also after a start.
func TestContradictionMakesReadOnly(t *testing.T) {
	config := server.Config{Data: t.TempDir(), SecretsKeyFile: filepath.Join(t.TempDir(), "key")}
	isSigned := func(err error) bool {
		var found *streams.GuardError
		return errors.Is(err, events.ErrReadOnly) && errors.As(err, &found) && found.Reason == streams.ReasonSigned && found.ExitCode() == 3
	}
	t.Run("while it runs", func(t *testing.T) {
		s := servertest.Start(t, config)
		c := s.Client()
		c.MustPush(t, "admin/app", "1.0", registrytest.NewImage("app"))
		if err := s.Audit().Sign(t.Context()); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(string(tree.Of(config.Data, s.Log().Generation())), "checkpoint")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)-10] ^= 1
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var contradicts *tree.ContradictionError
		if err := s.Audit().Sign(t.Context()); !errors.As(err, &contradicts) || !isSigned(s.Log().ReadOnly()) {
			t.Fatalf("%v; read-only: %v", err, s.Log().ReadOnly())
		}
		if err := c.Push("admin/app", "1.1", registrytest.NewImage("more")); err == nil {
			t.Error("a push is accepted")
		}
		if _, err := c.Pull("admin/app", "1.0"); err != nil {
			t.Errorf("a pull: %v", err)
		}
	})
	t.Run("an earlier event", func(t *testing.T) {
		s := servertest.Start(t, server.Config{})
		if err := errors.Join(s.Audit().Sign(t.Context()), s.Audit().Compare(t.Context())); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(s.Data, "projections", "journal*.db"))
		if err != nil || len(files) != 1 {
			t.Fatalf("the journal is in %q: %v", files, err)
		}
		db, err := sql.Open("sqlite", files[0])
		if err == nil {
			_, err = db.Exec(`UPDATE events SET leaf = zeroblob(32) WHERE seq = 1`)
		}
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		var contradicts *tree.ContradictionError
		if err := s.Audit().Compare(t.Context()); !errors.As(err, &contradicts) || !isSigned(s.Log().ReadOnly()) {
			t.Fatalf("%v; read-only: %v", err, s.Log().ReadOnly())
		}
	})
	s := servertest.Start(t, config)
	for begin := time.Now(); s.Log().ReadOnly() == nil && time.Since(begin) < time.Minute; {
		time.Sleep(10 * time.Millisecond)
	}
	if !isSigned(s.Log().ReadOnly()) {
		t.Errorf("after a start: %v", s.Log().ReadOnly())
	}
}
