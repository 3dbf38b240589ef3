package blobs_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/blobs"
	"hubledger/services/registry/blobs/faultfs"
)

// cuts is how often the power fails: more with HUBLEDGER_SOAK, most when that is long.
func cuts() int {
	switch os.Getenv("HUBLEDGER_SOAK") {
	case "":
		return 200
	case "long":
		return 2000
	}
	return 600
}

// Whenever the power fails under load, what Sync promised is whole, and
// nothing in blobs/ is torn.
func TestPowerCuts(t *testing.T) {
	promised := 0
	for i := range cuts() {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			fault := cutUnderLoad(t, uint64(i), false)
			promised += fault.promised
			for _, problem := range fault.problems {
				t.Error(problem)
			}
		})
	}
	if promised < cuts() {
		t.Fatalf("only %d blobs were promised in %d runs: nothing was put to the test", promised, cuts())
	}
}

// The same on a disk that does not sync has to lose something, or the test
// above proves nothing.
func TestPowerCutsOnALyingDisk(t *testing.T) {
	for i := range 200 {
		if len(cutUnderLoad(t, uint64(i), true).problems) > 0 {
			return
		}
	}
	t.Fatal("a disk that syncs nothing lost nothing in 200 power cuts")
}

type outcome struct {
	promised int // digests for which Sync returned nil
	problems []string
}

// cutUnderLoad runs clients until the power fails and looks at what remains.
func cutUnderLoad(t *testing.T, seed uint64, lying bool) (out outcome) {
	random := rand.New(rand.NewPCG(seed, 1))
	fsys := faultfs.New(t.TempDir())
	defer fsys.Close()
	fsys.IgnoreSync = lying
	s, err := blobs.Open(blobs.Config{Dir: fsys.Root(), FS: fsys, Log: quiet, Reserve: -1, MaxPending: 4, MaxOpenUploads: 2, SyncAbove: 20 << 10,
		JournalSize: 1 << (10 + random.IntN(10))}) // from a checkpoint after each blob to none
	check(t, err)
	fsys.CutAfter(1 + random.IntN(300))
	load := &load{store: s, promised: map[digest.Digest]bool{}}
	var wg sync.WaitGroup
	for c := range uint64(3) {
		wg.Go(func() { load.run(t, rand.New(rand.NewPCG(seed, 2+c)), fsys) })
	}
	wg.Wait()
	s.Close()

	remains := t.TempDir()
	check(t, fsys.Remains(remains, random))
	s = open(t, blobs.Config{Dir: remains, Log: quiet})
	mustBeEmpty(t, remains, "pending")
	for d := range load.promised {
		out.promised++
		if f, _, err := s.Open(t.Context(), d); err != nil {
			out.problems = append(out.problems, "promised "+string(d)+": "+err.Error())
		} else {
			f.Close()
		}
	}
	check(t, s.Verify(t.Context(), nil, func(d digest.Digest, problem error) {
		out.problems = append(out.problems, "torn "+string(d)+": "+problem.Error())
	}))
	if len(out.problems) == 0 {
		// What was torn elsewhere must not be in the way.
		p := content(1, 30<<10)
		push(t, s, p)
		check(t, s.Sync(t.Context(), digestOf(p)))
		mustRead(t, s, digestOf(p), p)
	}
	return out
}

// load is what clients do and what they were promised.
type load struct {
	store    *blobs.Store
	fences   [12]sync.RWMutex // keep sweeps of a blob from those who rely on it, as leases do
	mu       sync.Mutex
	promised map[digest.Digest]bool
}

func (l *load) run(t *testing.T, random *rand.Rand, fsys *faultfs.FS) {
	for !fsys.Off() {
		if err := l.step(random); err != nil && !fsys.Off() {
			t.Error(err)
			return
		}
	}
}

// step pushes one of a few blobs, so that clients meet, or sweeps one.
func (l *load) step(random *rand.Rand) error {
	i := random.IntN(len(l.fences))
	p := content(byte(i), i+[]int{0, 1, 100, 5000, 40 << 10, 100 << 10}[i%6])
	d := digestOf(p)
	if random.IntN(10) == 0 {
		return l.sweep(&l.fences[i], d)
	}
	l.fences[i].RLock()
	defer l.fences[i].RUnlock()
	return l.push(random, p, d)
}

func (l *load) sweep(fence *sync.RWMutex, d digest.Digest) error {
	fence.Lock()
	defer fence.Unlock()
	l.mu.Lock()
	delete(l.promised, d) // from here it may be there or not
	l.mu.Unlock()
	return l.store.Remove(context.Background(), d)
}

func (l *load) push(random *rand.Rand, p []byte, d digest.Digest) (err error) {
	ctx := context.Background()
	if random.IntN(3) == 0 {
		_, err = l.store.Put(ctx, d, bytes.NewReader(p), -1, nil)
	} else {
		err = l.upload(ctx, random, p, d)
	}
	if err != nil || random.IntN(4) == 0 {
		return err // or left pending
	}
	if err := l.store.Sync(ctx, d); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.promised[d] = true
	return nil
}

func (l *load) upload(ctx context.Context, random *rand.Rand, p []byte, d digest.Digest) error {
	id, err := l.store.Begin(ctx, repo)
	if err != nil {
		return err
	}
	for at := 0; at < len(p); {
		n := 1 + random.IntN(len(p)-at)
		if _, err := l.store.Write(ctx, repo, id, int64(at), io.LimitReader(bytes.NewReader(p[at:]), int64(n))); err != nil {
			return err
		}
		at += n
	}
	_, err = l.store.Finish(ctx, repo, id, d, nil)
	return err
}
