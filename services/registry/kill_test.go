package registry_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/projections/sqlitestore"
	"hubledger/services/registry/registrytest"
	"hubledger/streams"
)

// The real program is killed at random moments under load, again and again on
// one data directory. Whatever it answered with 201 is whole afterwards, and no
// sequence of the log ever stands for another event than before.
//
// A kill leaves what the kernel had taken: it tests order and recovery, not
// fsync. For that see TestPowerCutsUnderLoad.
func TestKillsUnderLoad(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	k := &killTest{t: t, rng: rand.New(rand.NewPCG(seed, 0)), program: build(t), data: filepath.Join(t.TempDir(), "data")}
	kills := sized(8, 200)
	for round := range kills {
		k.life()
		k.checkLog(round == kills-1)
	}
	k.start()
	k.verify(k.promised)
	k.kill()
	t.Logf("%d kills, %d pushes answered with 201, the log ends at %d", kills, len(k.promised), len(k.leaves))
	if len(k.promised) < kills {
		t.Errorf("%d pushes in %d lives: too little to say anything", len(k.promised), kills)
	}
}

// build makes the program as it is shipped.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "hubledger")
	cmd := exec.Command("go", "build", "-o", program, "hubledger")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

type killTest struct {
	t       *testing.T
	rng     *rand.Rand
	program string
	data    string
	url     string
	cmd     *exec.Cmd
	errors  bytes.Buffer

	mu       sync.Mutex
	promised []*registrytest.Image // answered with 201
	recent   []*registrytest.Image // of them, those of the last life
	n        int
	leaves   []events.Leaf // by sequence, from 1, as the log has shown them
}

func (k *killTest) start() {
	k.t.Helper()
	k.errors.Reset()
	k.cmd = exec.Command(k.program, "--data", k.data, "--json", "serve", "--listen", "127.0.0.1:0", "--reserve=-1")
	k.cmd.Env = append(os.Environ(), "HUBLEDGER_ADMIN_PASSWORD="+killPassword)
	k.cmd.Stderr = &k.errors
	k.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it must not outlive a test that is killed
	out, err := k.cmd.StdoutPipe()
	check(k.t, err)
	check(k.t, k.cmd.Start())
	greeting, err := bufio.NewReader(out).ReadBytes('\n')
	var ready struct {
		URL      string
		ReadOnly bool
	}
	if err == nil {
		err = json.Unmarshal(greeting, &ready)
	}
	if err != nil || ready.ReadOnly {
		k.cmd.Process.Kill()
		k.cmd.Wait()
		k.t.Fatalf("it does not start: %v, %s\n%s", err, greeting, &k.errors)
	}
	k.url = ready.URL
	c := k.client()
	defer c.Close()
	c.Must(k.t, "GET", "/v2/", nil).Want(k.t, 200) // a password takes its time; from here on it is known
	go io.Copy(io.Discard, out)
}

// killPassword is the first administrator's.
const killPassword = "correct horse battery staple"

func (k *killTest) client() *registrytest.Client {
	c := registrytest.NewClient(k.url)
	c.User, c.Password = "admin", killPassword
	return c
}

func (k *killTest) kill() {
	k.cmd.Process.Kill()
	k.cmd.Wait()
}

// life starts the program, looks at what the last life promised, and kills it
// while clients push.
func (k *killTest) life() {
	k.t.Helper()
	k.start()
	k.verify(k.recent)
	k.recent = nil
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			c := k.client()
			defer c.Close()
			for k.push(c) == nil {
			}
		})
	}
	time.Sleep(time.Duration(20+k.rng.IntN(150)) * time.Millisecond)
	k.kill()
	work.Wait()
}

func (k *killTest) push(c *registrytest.Client) error {
	k.mu.Lock()
	k.n++
	n := k.n
	k.mu.Unlock()
	img := registrytest.NewImage(fmt.Sprintf("layer %d %s", n, strings.Repeat("0123456789abcdef", n%3000)), fmt.Sprint("shared layer ", n%5))
	if err := c.Push("admin/app", fmt.Sprint("t", n%10), img); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.promised, k.recent = append(k.promised, img), append(k.recent, img)
	return nil
}

func (k *killTest) verify(images []*registrytest.Image) {
	k.t.Helper()
	c := k.client()
	defer c.Close()
	for _, img := range images {
		if d, err := c.Pull("admin/app", img.Digest().String()); err != nil || d != img.Digest() {
			k.t.Fatalf("an image that was answered with 201 is broken: %v", err)
		}
	}
}

// checkLog reads the log of the dead program: its last events, or all, must be
// what they were, and the journal must agree.
func (k *killTest) checkLog(all bool) {
	k.t.Helper()
	ctx := context.Background()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	log, err := streams.Open(ctx, streams.Config{Dir: k.data, Logger: quiet})
	check(k.t, err)
	defer log.Close(ctx)
	last, err := log.LastSeq(ctx)
	check(k.t, err)
	if last < uint64(len(k.leaves)) {
		k.t.Fatalf("the log ends at %d, it had %d events", last, len(k.leaves))
	}
	store, err := sqlitestore.Dir(filepath.Join(k.data, "projections")).Open(ctx, &journal.Projection,
		projections.Options{Generation: log.Generation(), Logger: quiet})
	check(k.t, err)
	defer store.Close()
	known, err := store.Position(ctx)
	check(k.t, err)
	from := uint64(max(1, len(k.leaves)-100))
	if all {
		from = 1
	}
	for seq := from; seq <= last; seq++ {
		e, err := log.Get(ctx, seq)
		check(k.t, err)
		leaf := events.LeafOf(e)
		if seq <= uint64(len(k.leaves)) {
			if k.leaves[seq-1] != leaf {
				k.t.Fatalf("event %d is another one than before: %s on %s", seq, e.ID(), e.Subject)
			}
		} else {
			k.leaves = append(k.leaves, leaf)
		}
		if seq > known {
			continue
		}
		if held, err := journal.Leaf(ctx, store.DB(), seq); err != nil || held != leaf {
			k.t.Fatalf("event %d is another one in the journal: %v", seq, err)
		}
	}
}
