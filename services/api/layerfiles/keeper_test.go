package layerfiles_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/api/layerfiles"
)

// A listing is made once, kept over a restart, read by directory and in pages, made again
// when it is damaged, and gone with its blob.
func TestKeeper(t *testing.T) {
	s := &shelf{blobs: map[digest.Digest][]byte{}}
	var files []file
	for n := range 250 {
		files = append(files, file{name: fmt.Sprintf("dir/f%03d", n), content: "c"})
	}
	d := s.add(gzipped(archive(append(files, file{name: "dir/sub/deep", content: "12345"}, file{name: "top"})...)))
	dir := t.TempDir()
	k := keeper(t, s, layerfiles.Config{Dir: dir})
	listed(t, k, d)
	root, err := k.List(d, "", 0, 100)
	if err != nil || root.In != 2 || root.Entries[0].Name != "dir" || root.Entries[0].Files != 251 || root.Entries[0].Size != 255 || root.Entries[1].Name != "top" || root.Directory.Files != 252 {
		t.Fatalf("%+v %v", root, err)
	}
	page, err := k.List(d, "dir", 100, 100)
	if err != nil || page.In != 251 || len(page.Entries) != 100 || page.Entries[0].Name != "f099" || page.Directory.Name != "dir" || page.Directory.Size != 255 {
		t.Fatalf("%+v %v", page, err)
	}
	if deep, err := k.List(d, "dir/sub", 0, 5); err != nil || deep.Entries[0].Name != "deep" || deep.Directory.Size != 5 || deep.Directory.Name != "sub" {
		t.Fatalf("%+v %v", deep, err)
	}
	for _, none := range []string{"none", "dir/f000", "dir/sub/deep", "di"} {
		if _, err := k.List(d, none, 0, 5); !errors.Is(err, layerfiles.ErrNoDirectory) {
			t.Errorf("%s: %v", none, err)
		}
	}
	again := keeper(t, s, layerfiles.Config{Dir: dir})
	listed(t, again, d)
	if len(s.opened) != 1 {
		t.Errorf("the layer was read %d times", len(s.opened))
	}
	kept, _ := os.ReadDir(dir)
	if err := os.WriteFile(filepath.Join(dir, kept[0].Name()), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := again.List(d, "", 0, 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a damaged listing: %v", err)
	}
	listed(t, again, d)
	if err := again.Purge(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := again.List(d, "", 0, 1); err != nil {
		t.Errorf("the listing of a blob that is there went: %v", err)
	}
	delete(s.blobs, d)
	if err := again.Purge(t.Context()); err != nil {
		t.Error(err)
	}
	if kept, _ := os.ReadDir(dir); len(kept) != 0 {
		t.Errorf("%d files are left", len(kept))
	}
	if p, err := again.Ask("x", digest.FromString("nowhere")); err != nil || p.State != layerfiles.Waiting {
		t.Errorf("%+v %v", p, err)
	}
}

// The directory is bounded: what was not used for the longest time goes.
func TestKeptBytes(t *testing.T) {
	s := &shelf{blobs: map[digest.Digest][]byte{}}
	dir := t.TempDir()
	k := keeper(t, s, layerfiles.Config{Dir: dir, MaxBytes: 2000})
	var all []digest.Digest
	for n := range 20 {
		all = append(all, s.add(archive(file{name: fmt.Sprintf("file %d", n), content: fmt.Sprint(n)})))
		listed(t, k, all[0], all[n])
	}
	kept, total := 0, int64(0)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		info, _ := e.Info()
		kept, total = kept+1, total+info.Size()
	}
	if total > 2000 || kept < 3 {
		t.Errorf("%d files of %d bytes", kept, total)
	}
	for _, d := range []digest.Digest{all[0], all[19]} {
		if _, err := k.List(d, "", 0, 1); err != nil {
			t.Error(err)
		}
	}
}

// Layers wait in turns of clients, in a line that ends, and only while somebody asks.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{blobs: map[digest.Digest][]byte{}, hold: make(chan struct{})}
		k := keeper(t, s, layerfiles.Config{AtOnce: 1, MaxOf: 4, MaxWaiting: 6})
		layer := func(name string) digest.Digest { return s.add(archive(file{name: name})) }
		ask := func(client string, d digest.Digest) layerfiles.State {
			p, err := k.Ask(client, d)
			if err != nil && !errors.Is(err, layerfiles.ErrBusy) {
				t.Fatal(err)
			}
			return p.State
		}
		var greedy, modest []digest.Digest
		for n := range 4 {
			greedy = append(greedy, layer(fmt.Sprint("greedy", n)))
			ask("greedy", greedy[n])
		}
		synctest.Wait()
		if got := ask("modest", greedy[0]); got != layerfiles.Running {
			t.Errorf("the first is %s", got)
		}
		if got := ask("greedy", layer("one more")); got != "" {
			t.Errorf("more of one client: %s", got)
		}
		modest = append(modest, layer("modest0"), layer("modest1"))
		ask("modest", modest[0])
		ask("modest", modest[1])
		if got := ask("another", layer("too many")); got != "" {
			t.Errorf("more than may wait: %s", got)
		}
		time.Sleep(50 * time.Second)
		for _, d := range slices.Concat(greedy[:2], modest) {
			ask("anybody", d)
		}
		time.Sleep(50 * time.Second) // by now nobody waits for the others any more
		close(s.hold)
		synctest.Wait()
		want := []digest.Digest{greedy[0], modest[0], greedy[1], modest[1]}
		if !slices.Equal(s.opened, want) {
			t.Errorf("in the order %v, want %v", s.opened, want)
		}
		if p, _ := k.Ask("x", digest.FromString("none")); p.State != layerfiles.Waiting {
			t.Errorf("%+v", p)
		}
		synctest.Wait()
		if p, _ := k.Ask("x", digest.FromString("none")); p.State != layerfiles.Missing {
			t.Errorf("%+v", p)
		}
	})
}

// What a pass has found when its time ends is kept.
func TestTime(t *testing.T) {
	s := &shelf{blobs: map[digest.Digest][]byte{}}
	d := s.add(archive(file{name: "a", content: strings.Repeat("x", 1<<20)}))
	k := keeper(t, s, layerfiles.Config{Time: time.Nanosecond})
	listed(t, k, d)
	if p, err := k.List(d, "", 0, 1); err != nil || !strings.Contains(p.Truncated, "too long") {
		t.Errorf("%+v %v", p, err)
	}
}
