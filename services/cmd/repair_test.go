package cmd

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/services/cmd/console"
)

// A log is not rebuilt from a journal that is damaged, too, whatever of it is: an event, the
// leaf beside it, or its end.
func TestRepairNeedsAnIntactJournal(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	organizations(t, h, "acme", "globex")
	h.Stop()
	for name, change := range map[string]struct{ statement, says string }{
		"data": {"UPDATE events SET data = x'7b7d' WHERE seq = 3", "its event 3 does not match its leaf"},
		"leaf": {"UPDATE events SET leaf = (SELECT leaf FROM events WHERE seq = 2) WHERE seq = 3", "its event 3 does not match its leaf"},
		"end":  {"DELETE FROM events WHERE seq = (SELECT MAX(seq) FROM events)", "were signed"},
	} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			copyTree(t, h.Data, data)
			flipAt(t, filepath.Join(data, "nats/jetstream/$G/streams/EVT/msgs"), 2)
			files := glob(t, data, "projections/journal-*.db")
			if len(files) != 1 {
				t.Fatalf("the journal is in %q", files)
			}
			db, err := sql.Open("sqlite", files[0])
			if err == nil {
				_, err = db.Exec(change.statement)
			}
			if err != nil {
				t.Fatal(err)
			}
			db.Close()
			copied := hubOn(t, data)
			if out, stderr, code := copied.Run("repair"); code != console.ExitDiff || !strings.Contains(stderr, change.says) || !strings.Contains(stderr, "restore a backup") {
				t.Errorf("exit code %d, %s%s", code, out, stderr)
			}
			if aside := glob(t, data, "nats-replaced-*"); len(aside) > 0 {
				t.Errorf("something was replaced: %q", aside)
			}
		})
	}
}
