package cmd

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hubledger/services/audit/witness/witnesstest"
	"hubledger/services/cmd/console"
	"hubledger/services/registry/registrytest"
)

// signedBy copies the last signed checkpoint of a data directory, and its keys, to a folder.
func signedBy(t *testing.T, data, to string) (checkpoint, keys string) {
	t.Helper()
	for _, name := range []string{"checkpoint", "keys"} {
		found, err := filepath.Glob(filepath.Join(data, "proofs", "*", name))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s has no %s: %v", data, name, err)
		}
		text, err := os.ReadFile(found[len(found)-1])
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(to, "checkpoint"), filepath.Join(to, "keys")
}

// The program is killed at random moments while it signs: the log verifies afterwards, and
// no checkpoint that was ever on disk contradicts a later one.
func TestKillsWhileSigning(t *testing.T) {
	t.Parallel()
	kills := 4
	switch os.Getenv("HUBLEDGER_SOAK") {
	case "":
	case "long":
		kills = 60
	default:
		kills = 15
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	h := startHub(t)
	c := registrytest.NewClient(asURL(h, admin))
	defer c.Close()
	if err := c.Push("admin/app", "v0", registrytest.NewImage("v0")); err != nil {
		t.Fatal(err)
	}
	h.Stop()
	var kept []string
	for round := range kills {
		checkpoint, keys := signedBy(t, h.Data, t.TempDir())
		kept = append(kept, checkpoint)
		h.Start() // it signs at once what came since
		if round%2 == 0 {
			if err := c.Push("admin/app", fmt.Sprintf("v%d", round), registrytest.NewImage(fmt.Sprint(round))); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
		h.Kill()
		for _, old := range kept[max(0, len(kept)-3):] {
			if stdout, stderr, code := h.Run("verify", "--since", old, "--key", keys); code != console.ExitOK {
				t.Fatalf("killed %d times: %d\n%s%s", round+1, code, stdout, stderr)
			}
		}
	}
}

// Commands say which witnesses have cosigned, of a hub that runs and of one that is stopped.
func TestCosignedBy(t *testing.T) {
	t.Parallel()
	lite := witnesstest.Start(t)
	h := startHub(t, "--witness", lite.Named())
	h.Stop() // which signs
	_, keys := signedBy(t, h.Data, t.TempDir())
	text, err := os.ReadFile(keys)
	if err != nil {
		t.Fatal(err)
	}
	lite.AddLog(strings.TrimSpace(string(text)))
	run := func(want int, text string, args ...string) {
		t.Helper()
		if stdout, stderr, code := h.Run(args...); code != want || !strings.Contains(stdout+stderr, text) {
			t.Fatalf("%v: %d\n%s%s", args, code, stdout, stderr)
		}
	}
	run(console.ExitOK, "by none of 1 witnesses", "verify", "--witness", lite.Key())
	h.Start()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if stdout, stderr, _ := h.Run("verify"); strings.Contains(stdout, "by 1 of 1 witnesses: witness.test/lite") {
			break
		} else if time.Now().After(end) {
			t.Fatalf("nobody has cosigned\n%s%s", stdout, stderr)
		}
	}
	file := filepath.Join(t.TempDir(), "proof")
	run(console.ExitOK, "Its checkpoint is cosigned by witness.test/lite.", "prove", "event", "1", "-o", file)
	run(console.ExitOK, "events were signed, cosigned by witness.test/lite:", "verify-proof", file, "--key", keys, "--witness", lite.Key())
	stranger := witnesstest.VerifierKey("witness.test/other", make([]byte, 32))
	run(console.ExitFail, "the witness witness.test/other has not cosigned", "verify-proof", file, "--key", keys, "--witness", stranger)
	run(console.ExitOK, "by none of 1 witnesses", "verify", "--witness", stranger)
	run(console.ExitFail, "not the key of a witness", "verify", "--witness", keys)
	run(console.ExitUsage, "not a witness", "serve", "--witness", "https://witness.test")
}

// A log that is shorter than what was signed is read-only. Restored with that loss it is
// signed by another name, and who has kept a checkpoint sees what is lost.
func TestLogBehindWhatWasSigned(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	c := registrytest.NewClient(asURL(h, admin))
	defer c.Close()
	push := func(tag string) {
		t.Helper()
		if err := c.Push("admin/app", tag, registrytest.NewImage(tag)); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want int, text string, args ...string) {
		t.Helper()
		if stdout, stderr, code := h.Run(args...); code != want || !strings.Contains(stdout+stderr, text) {
			t.Fatalf("%v: %d\n%s%s", args, code, stdout, stderr)
		}
	}
	push("v1")
	h.Stop()
	earlier, _ := signedBy(t, h.Data, t.TempDir())
	older := filepath.Join(t.TempDir(), "older")
	copyTree(t, h.Data, older)
	h.Start()
	push("v2")
	push("v3")
	h.Stop()
	later, _ := signedBy(t, h.Data, t.TempDir())
	// Everything but what was signed is put back as it was.
	proofs := filepath.Join(t.TempDir(), "proofs")
	move := func(from, to string) {
		t.Helper()
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	move(filepath.Join(h.Data, "proofs"), proofs)
	move(older, h.Data)
	move(proofs, filepath.Join(h.Data, "proofs"))

	run(console.ExitDiff, "the log ends before it, but a checkpoint of", "verify")
	h.Start()
	if !h.ReadOnly {
		t.Fatal("a log behind what was signed is trusted")
	}
	run(console.ExitGuard, "the last signed checkpoint is at", "status")
	h.Stop()
	run(console.ExitFail, "the last signed checkpoint", "events", "restore")
	run(console.ExitOK, "are lost", "events", "restore", "--accept-loss")
	h.Start()
	if h.ReadOnly {
		t.Fatal("the restored log is not trusted")
	}
	push("v4")
	run(console.ExitOK, "begins with the events of the older checkpoint", "verify", "--since", earlier)
	run(console.ExitDiff, "", "verify", "--since", later)
	h.Restart()
	was, err := os.ReadFile(later)
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := h.Run("checkpoint")
	if origin, _, _ := strings.Cut(string(was), "\n"); code != console.ExitOK || stdout == "" || strings.Contains(stdout, origin) {
		t.Errorf("the restored log is signed as %s: %d %s", stdout, code, stderr)
	}
	run(console.ExitOK, "agree", "verify")
}
