package backup_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
	"hubledger/services/internal/durable"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/blobs/faultfs"
	"hubledger/services/server/backup"
)

// stages are what a hub has one time after another: its log grows, blobs come and go.
func stages(t *testing.T) (list []backup.Config) {
	t.Helper()
	log := projectiontest.Images(150) // which can be appended
	for k, n := range []uint64{40, 90, 150} {
		store, err := sqlitestore.Dir(t.TempDir()).Open(t.Context(), &journal.Projection, projections.Options{})
		check(t, err)
		t.Cleanup(func() { store.Close() })
		check(t, projections.CatchUp(t.Context(), store, log, n, nil))
		kept, err := blobs.Open(blobs.Config{Dir: filepath.Join(t.TempDir(), "registry"), Reserve: -1, Log: slog.New(slog.DiscardHandler)})
		check(t, err)
		for blob := k; blob < k+3; blob++ { // one goes, and one comes
			content := strings.Repeat(fmt.Sprint("blob ", blob, " "), 1000)
			d := digest.FromString(content)
			_, err := kept.Put(t.Context(), d, strings.NewReader(content), int64(len(content)), func(context.Context) error { return nil })
			check(t, err)
			check(t, kept.Sync(t.Context(), d))
		}
		list = append(list, backup.Config{Generation: "GENERATION", Journal: store.DB(), Stores: map[string]*blobs.Store{"registry": kept}, Progress: quiet.Progress,
			Rest: func(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) },
			Secrets: func(_ context.Context, each func(string, []byte) error) error {
				return each(fmt.Sprint(k), []byte{1, 2, 3})
			}})
	}
	return list
}

// Whenever the power fails during a full backup, an incremental one, or while what only older
// ones need is removed, what is left verifies, each backup in it can be restored, none that was
// complete is lost, and the next one goes on. So it is with archives.
func TestPowerCuts(t *testing.T) {
	all, promised := stages(t), 0
	for name, change := range map[string]func(*backup.Config){
		"backup":      func(*backup.Config) {},
		"backup of 2": func(c *backup.Config) { c.Keep = 2 },
		"backup of 1": func(c *backup.Config) { c.Keep = 1 },
		"archive":     func(c *backup.Config) { c.Stores, c.Secrets = nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			list := changed(all, change)
			for i := range cuts() {
				n, problem := cutWhileBackingUp(t, list, uint64(i), false)
				if promised += n; problem != nil {
					t.Errorf("cut %d: %v", i, problem)
				}
			}
		})
	}
	if promised < cuts() {
		t.Fatalf("only %d backups were promised: nothing was put to the test", promised)
	}
}

// The same on a disk that does not sync has to lose something, or the test above proves
// nothing.
func TestPowerCutsOnALyingDisk(t *testing.T) {
	list := changed(stages(t), func(c *backup.Config) { c.Keep = 2 })
	for i := range 200 {
		if _, problem := cutWhileBackingUp(t, list, uint64(i), true); problem != nil {
			return
		}
	}
	t.Fatal("a disk that syncs nothing lost nothing in 200 power cuts")
}

// cuts is how often the power fails: more with HUBLEDGER_SOAK.
func cuts() int {
	if os.Getenv("HUBLEDGER_SOAK") != "" {
		return 1000
	}
	return 30
}

func changed(all []backup.Config, change func(*backup.Config)) []backup.Config {
	list := append([]backup.Config(nil), all...)
	for k := range list {
		change(&list[k])
	}
	return list
}

func cutWhileBackingUp(t *testing.T, list []backup.Config, seed uint64, lying bool) (promised int, problem error) {
	random := rand.New(rand.NewPCG(seed, 1))
	disk := faultfs.New(t.TempDir())
	defer disk.Close()
	disk.IgnoreSync, disk.LoseDirectories = lying, true
	disk.CutAfter(1 + random.IntN(60*len(list)))
	var last backup.Summary
	for _, c := range list {
		c.FS = disk
		s, err := backup.Run(t.Context(), c, filepath.Join(disk.Root(), "disk", "backup"))
		if err != nil {
			if !errors.Is(err, faultfs.ErrPowerOff) {
				return promised, err
			}
			break
		}
		last = s
		promised++
	}
	disk.Cut()
	remains := t.TempDir()
	check(t, disk.Remains(remains, random))
	return promised, restores(t, list, filepath.Join(remains, "disk", "backup"), last, seed%15 == 0)
}

// restores says what is wrong with what is left of backups, of which the one with that summary
// was complete.
func restores(t *testing.T, list []backup.Config, dir string, last backup.Summary, really bool) error {
	left, err := backup.ReadSummary(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && last.ID == "":
	case err != nil:
		return err
	case left.Events < last.Events || left.ID < last.ID:
		return fmt.Errorf("of the backup %+v is left %+v", last, left)
	default:
		if err := verifies(t, dir, really); err != nil {
			return err
		}
	}
	// The machine is on again, and the hub has grown.
	c := list[len(list)-1]
	s, err := backup.Run(t.Context(), c, dir)
	if err != nil {
		return fmt.Errorf("the next backup: %w", err)
	}
	if s.Events != 150 || s.ID <= left.ID {
		return fmt.Errorf("the next backup is %+v", s)
	}
	if passing, err := filepath.Glob(filepath.Join(dir, "*", "writing-*")); err != nil || len(passing) > 0 {
		return fmt.Errorf("left are %v, %w", passing, err)
	}
	return verifies(t, dir, really)
}

// verifies says why a backup does not verify, or does and cannot be restored.
func verifies(t *testing.T, dir string, really bool) error {
	v, err := backup.Verify(t.Context(), dir, nil, quiet.Progress)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if len(v.Damaged) > 0 {
		return fmt.Errorf("the blobs %v are damaged", v.Damaged)
	}
	points, err := backup.Points(dir)
	if err != nil || !really {
		return err
	}
	for _, p := range points {
		r, err := backup.Restore(t.Context(), dir, filepath.Join(t.TempDir(), "data"), backup.Options{Point: p.ID, Progress: quiet.Progress})
		if err != nil {
			return fmt.Errorf("restore %s of %d: %w", p.ID, len(points), err)
		}
		if r.Events != p.Events || r.Blobs != p.Blobs {
			return fmt.Errorf("restored %+v of %+v", r, p)
		}
	}
	return nil
}

var _ durable.FS = (*faultfs.FS)(nil)
