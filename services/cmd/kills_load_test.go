package cmd

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubledger/services/cmd/console"
	"hubledger/services/registry/registrytest"
)

// The program is killed at random moments while people push, a backup and an archive are made
// and the log is signed: the log verifies afterwards and continues every checkpoint that was ever
// on disk, what was answered for is there, the backup is either refused as incomplete or makes a
// hub that verifies, and so far as the archive is complete it is whole.
func TestKillsUnderLoad(t *testing.T) {
	t.Parallel()
	kills := 2
	switch os.Getenv("HUBLEDGER_SOAK") {
	case "":
	case "long":
		kills = 40
	default:
		kills = 8
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	h := startHub(t)
	answered := sync.Map{} // tags whose push was answered
	pushes := atomic.Int64{}
	push := func(c *registrytest.Client) error {
		tag := fmt.Sprint("v", pushes.Add(1))
		err := c.Push("admin/app", tag, registrytest.NewImage(tag))
		if err == nil {
			answered.Store(tag, true)
		}
		return err
	}
	first := registrytest.NewClient(asURL(h, admin))
	defer first.Close()
	if err := push(first); err != nil {
		t.Fatal(err)
	}
	h.Stop()
	verifies := func(round int, data string, args ...string) {
		t.Helper()
		if stdout, stderr, code := runHubledger(t, append([]string{"--data", data, "verify"}, args...)...); code != console.ExitOK {
			t.Fatalf("killed %d times, verify %v: %d\n%s%s", round, args, code, stdout, stderr)
		}
	}
	backup, archive := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "archive")
	complete, incomplete := 0, 0
	var kept []string
	oldest := "" // checkpoint that every complete backup has
	for round := 1; round <= kills; round++ {
		checkpoint, keys := signedBy(t, h.Data, t.TempDir())
		kept = append(kept, checkpoint)
		h.Start() // it signs at once what came since
		var load sync.WaitGroup
		for range 3 {
			load.Go(func() {
				c := registrytest.NewClient(asURL(h, admin))
				defer c.Close()
				for push(c) == nil {
				}
			})
		}
		load.Go(func() { h.Run("backup", backup) })
		load.Go(func() { h.Run("archive", archive) })
		time.Sleep(time.Duration(100+random.IntN(1500)) * time.Millisecond)
		h.Kill()
		load.Wait()
		for _, old := range kept[max(0, len(kept)-3):] {
			verifies(round, h.Data, "--since", old, "--key", keys)
		}
		if _, stderr, code := runHubledger(t, "backup", "verify", archive, "--key", keys); code != console.ExitOK && !strings.Contains(stderr, "no complete backup") {
			t.Fatalf("killed %d times, verify the archive: %d\n%s", round, code, stderr)
		}
		restored := filepath.Join(t.TempDir(), "restored")
		stdout, stderr, code := runHubledger(t, "--data", restored, "restore", backup)
		switch {
		case code == console.ExitOK:
			if complete++; oldest == "" {
				oldest = checkpoint
			}
			verifies(round, restored)
			verifies(round, restored, "--since", oldest, "--key", keys)
		case strings.Contains(stderr, "no complete backup"):
			incomplete++
		default:
			t.Fatalf("killed %d times, restore: %d\n%s%s", round, code, stdout, stderr)
		}
	}
	h.Start()
	answered.Range(func(tag, _ any) bool {
		if got, err := first.Do("GET", "/v2/admin/app/manifests/"+tag.(string), nil); err != nil || got.Status != 200 {
			t.Errorf("%s was answered for, and is not there: %v %v", tag, got, err)
		}
		return true
	})
	if stdout, stderr, code := h.Run("backup", backup); code != console.ExitOK {
		t.Errorf("a backup afterwards: %d\n%s%s", code, stdout, stderr)
	}
	if stdout, stderr, code := h.Run("archive", archive); code != console.ExitOK {
		t.Errorf("an archive afterwards: %d\n%s%s", code, stdout, stderr)
	}
	if stdout, stderr, code := h.Run("backup", "verify", archive); code != console.ExitOK {
		t.Errorf("verify the archive: %d\n%s%s", code, stdout, stderr)
	}
	t.Logf("%d pushes; %d backups were complete, %d were not", pushes.Load(), complete, incomplete)
}
