package registry_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/blobs"
	"hubledger/services/registry/blobs/faultfs"
	"hubledger/services/registry/registrytest"
)

// The power fails at random moments under load, again and again on one hub.
// After each failure every manifest that was ever answered with 201, and not
// deleted, is whole: its bytes, and every blob that it names.
//
// What is modelled: of the blob store's files and names each that was not
// synced may be there, torn or missing, by itself (package faultfs). The
// projection and the operational store, which SQLite does not sync at every
// commit, are kept, rolled back to what they were at the last start, or gone.
//
// What is not: the log runs with SyncAlways, so all that it acknowledged is
// taken to be on the disk, and its files are left as they are; what a cut in
// the middle of an append does to them is the business of streams and its
// tests. Directories are durable once made. The disk does not lie about fsync.
func TestPowerCutsUnderLoad(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	const lives = 10 // of one hub
	cuts, pushed, live, swept := sized(10, 200), 0, 0, int64(0)
	for hub := range cuts / lives {
		p := newPowerTest(t, seed+uint64(hub), false)
		for range lives {
			pushed += p.life()
			p.powerOn()
			p.verify(p.recent)
		}
		var all []digest.Digest
		for d := range p.promised {
			all = append(all, d)
		}
		p.verify(all)
		p.hub.Rebuilt()
		p.hub.Close()
		live, swept = live+len(all), swept+registrytest.Value(p.t, p.hub.Metrics.Swept)
	}
	t.Logf("%d power cuts, %d pushes answered with 201, %d blobs swept, %d images live at the end", cuts, pushed, swept, live)
	if pushed < 2*cuts {
		t.Errorf("%d pushes in %d lives: too little to say anything", pushed, cuts)
	}
}

// On a disk that ignores fsync the same test has to fail, or it says nothing.
func TestPowerCutsOnADiskThatLies(t *testing.T) {
	t.Parallel()
	for round := range uint64(50) {
		p := newPowerTest(t, round, true)
		p.life()
		p.powerOn()
		c := p.hub.Client()
		broken := error(nil)
		for d := range p.promised {
			if _, err := c.Pull(powerRepo, d.String()); err != nil {
				broken = err
			}
		}
		p.hub.Close()
		if broken != nil {
			t.Logf("round %d: %v", round, broken)
			return
		}
	}
	t.Error("a disk that syncs nothing lost nothing")
}

const powerRepo = "alice/app"

type powerTest struct {
	t     *testing.T
	hub   *registrytest.Hub
	rng   *rand.Rand
	disk  *faultfs.FS
	dir   string // the hub's
	aside string // what a test keeps between two lives
	lies  bool

	mu       sync.Mutex
	promised map[digest.Digest]bool // answered with 201 and not deleted
	recent   []digest.Digest        // of them, those of the last life
	n        int
}

// newPowerTest starts a hub that syncs some blobs in the background and some not.
func newPowerTest(t *testing.T, seed uint64, lies bool) *powerTest {
	t.Helper()
	p := &powerTest{t: t, rng: rand.New(rand.NewPCG(seed, 0)), promised: map[digest.Digest]bool{}, dir: t.TempDir(), aside: t.TempDir(), lies: lies}
	p.hub = registrytest.Start(t, registrytest.Config{Dir: p.dir, FS: p.newDisk(""), SyncAbove: 8 << 10, MaxPending: 6})
	t.Cleanup(func() { p.disk.Close() })
	return p
}

// newDisk makes a disk for the blob store that holds what is in a directory.
func (p *powerTest) newDisk(remains string) blobs.FS {
	p.t.Helper()
	p.disk = faultfs.New(filepath.Join(p.dir, "registry"))
	if remains != "" {
		check(p.t, p.fill(remains))
	}
	p.disk.IgnoreSync = p.lies
	return p.disk
}

// fill puts files on the new disk, durably.
func (p *powerTest) fill(remains string) error {
	err := filepath.WalkDir(remains, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		to := filepath.Join(p.disk.Root(), strings.TrimPrefix(path, remains))
		if err := p.disk.MkdirAll(filepath.Dir(to)); err != nil {
			return err
		}
		f, err := p.disk.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := p.disk.WriteAt(f, content, 0); err != nil {
			return err
		}
		return p.disk.Sync(f)
	})
	if err != nil {
		return err
	}
	return filepath.WalkDir(p.disk.Root(), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		dir, err := os.Open(path)
		if err != nil {
			return err
		}
		defer dir.Close()
		return p.disk.Sync(dir)
	})
}

// life runs clients until the power fails, and says how many pushes succeeded.
func (p *powerTest) life() (pushed int) {
	p.recent = nil
	p.disk.CutAfter(50 + p.rng.IntN(1500))
	var work sync.WaitGroup
	for k := range 4 {
		c, rng := p.hub.Client(), rand.New(rand.NewPCG(p.rng.Uint64(), uint64(k)))
		work.Go(func() {
			for !p.disk.Off() {
				if p.push(c, rng) {
					p.mu.Lock()
					pushed++
					p.mu.Unlock()
				}
			}
		})
	}
	work.Wait()
	return pushed
}

// push pushes a new image of new and known layers, and now and then deletes
// one with all that held its layers.
func (p *powerTest) push(c *registrytest.Client, rng *rand.Rand) bool {
	p.mu.Lock()
	p.n++
	own := fmt.Sprintf("layer %d %s", p.n, strings.Repeat("0123456789abcdef", rng.IntN(600)))
	p.mu.Unlock()
	img := registrytest.NewImage(own, fmt.Sprintf("shared layer %d %s", rng.IntN(5), strings.Repeat("x", 9_000)))
	if c.Push(powerRepo, fmt.Sprint("t", rng.IntN(10)), img) != nil {
		return false
	}
	p.mu.Lock()
	p.promised[img.Digest()] = true
	p.recent = append(p.recent, img.Digest())
	var victim digest.Digest
	if rng.IntN(4) == 0 {
		victim = p.recent[rng.IntN(len(p.recent))]
		delete(p.promised, victim) // whether the answer comes or not
	}
	p.mu.Unlock()
	if victim != "" {
		p.remove(c, victim)
	}
	return true
}

// remove deletes an image and collects what it alone held. The leases that go
// with it are also those of pushes that are under way: these may be refused,
// but not broken.
func (p *powerTest) remove(c *registrytest.Client, d digest.Digest) {
	a, err := c.Do("DELETE", "/v2/"+powerRepo+"/manifests/"+d.String(), nil)
	if err == nil && a.Status == 202 {
		p.hub.Leases.DropRepository(p.t.Context(), powerRepo)
		p.hub.Collector().Collect(p.t.Context(), 0, func(int) {})
	}
}

// powerOn starts the hub on what the disk may hold after the cut.
func (p *powerTest) powerOn() {
	p.t.Helper()
	p.hub.Stop() // its errors are those of a disk without power
	remains := filepath.Join(p.aside, fmt.Sprint(p.rng.Uint64()))
	check(p.t, os.MkdirAll(remains, 0o700))
	check(p.t, p.disk.Remains(remains, p.rng))
	p.disk.Close()
	check(p.t, os.RemoveAll(p.disk.Root()))
	p.hub.FS = p.newDisk(remains)
	check(p.t, os.RemoveAll(remains))
	p.database("projections")
	p.database("operations.db")
	p.hub.Open()
}

// database keeps, rolls back or loses an SQLite database, and keeps a copy for
// the next time.
func (p *powerTest) database(name string) {
	p.t.Helper()
	copies := filepath.Join(p.aside, "copies", name)
	now, err := filepath.Glob(filepath.Join(p.hub.Dir, name+"*"))
	check(p.t, err)
	fate := p.rng.IntN(3)
	if _, err := os.Stat(copies); err != nil && fate == 1 {
		fate = 2 // there is nothing to go back to yet
	}
	if fate > 0 {
		for _, path := range now {
			check(p.t, os.RemoveAll(path))
		}
	}
	if fate == 1 {
		check(p.t, os.CopyFS(p.hub.Dir, os.DirFS(copies)))
		return
	}
	check(p.t, os.RemoveAll(copies))
	if fate == 2 {
		return
	}
	check(p.t, os.MkdirAll(copies, 0o700))
	for _, path := range now {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			check(p.t, os.CopyFS(filepath.Join(copies, filepath.Base(path)), os.DirFS(path)))
			continue
		}
		content, err := os.ReadFile(path)
		check(p.t, err)
		check(p.t, os.WriteFile(filepath.Join(copies, filepath.Base(path)), content, 0o600))
	}
}

// verify pulls images whole, past every cache, and rehashes the store.
func (p *powerTest) verify(images []digest.Digest) {
	p.t.Helper()
	c := p.hub.Client()
	defer c.Close()
	for _, d := range images {
		if !p.promised[d] {
			continue
		}
		if got, err := c.Pull(powerRepo, d.String()); err != nil || got != d {
			p.t.Fatalf("an image that was answered with 201 is broken: %v", err)
		}
	}
	check(p.t, p.hub.Blobs.Verify(p.t.Context(), nil, func(d digest.Digest, problem error) {
		p.t.Errorf("blob %s: %v", d, problem)
	}))
}
