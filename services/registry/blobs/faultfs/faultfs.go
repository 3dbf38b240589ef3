// Package faultfs is a file system for tests that loses what a disk may lose
// when the power fails: content that was not synced, and names in a directory
// that was not synced.
//
// It works on a real directory, so files are real. Beside it keeps what is
// durable. After Cut every call fails, and Remains writes down one of the
// states that the disk may be found in:
//
//   - A file's content that was not synced since it was written is there in
//     full, in part, with zeros where data should be, or not at all; each
//     4 KiB block for itself. What was synced before and not written since stays.
//   - A name that was made, replaced or removed since its directory was synced
//     stands for any of the files it stood for since; each name for itself. So
//     of a rename, both names may be found, or either, or none.
package faultfs

import (
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"hubledger/services/registry/blobs"
)

// ErrPowerOff is what every call returns after Cut.
var ErrPowerOff = errors.New("the power is off")

// FS is a blobs.FS over a directory that is empty at first.
type FS struct {
	// IgnoreSync makes every Sync lie: it returns without anything durable. A
	// test that cannot fail this way tests nothing.
	IgnoreSync bool
	// LoseDirectories makes the names of directories as those of files: one that was made is
	// lost, with all that is in it, unless the directory above it was synced.
	LoseDirectories bool

	root string
	os   blobs.OS

	mu      sync.Mutex // one call at a time: what is recorded is what happened
	off     bool
	cutIn   int // calls until the power fails; 0: not planned
	full    bool
	syncErr error
	names   map[string]*name  // by path
	inodes  map[string]*inode // what each path stands for now
	open    map[*os.File]*inode
	all     []*inode
}

// inode is a file, whatever it is called.
type inode struct {
	f       *os.File // a descriptor of our own, to read it when it has no name
	durable []byte
	dirty   bool // written since it was synced
}

// directory is what the names of directories stand for.
var directory = &inode{}

// name is a path, and what it may stand for after a cut.
type name struct {
	since []*inode // what it stood for since its directory was synced, nil for nothing; the first is durable
}

// New wraps a directory, which must be empty.
func New(root string) *FS {
	return &FS{root: filepath.Clean(root), names: map[string]*name{}, inodes: map[string]*inode{}, open: map[*os.File]*inode{}}
}

// Root is the directory it works on.
func (f *FS) Root() string { return f.root }

// CutAfter plans a power failure: the n-th call from now fails, as do all others.
func (f *FS) CutAfter(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cutIn = n
}

// Cut fails the power now.
func (f *FS) Cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = true
}

// Off says whether the power has failed.
func (f *FS) Off() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.off
}

// Fill makes every write fail half-way for lack of space, or ends that.
func (f *FS) Fill(full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = full
}

// FailSyncs makes every Sync return err, or succeed again with nil.
func (f *FS) FailSyncs(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.syncErr = err
}

// enter begins a call; the caller holds mu.
func (f *FS) enter() error {
	if f.cutIn > 0 {
		if f.cutIn--; f.cutIn == 0 {
			f.off = true
		}
	}
	if f.off {
		return ErrPowerOff
	}
	return nil
}

// Close closes the descriptors that were kept to read files without a name.
func (f *FS) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range f.all {
		i.f.Close()
	}
}

// Remains writes what the disk may hold after the cut into an empty directory.
func (f *FS) Remains(into string, random *rand.Rand) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	contents := map[*inode][]byte{}                          // a file with two names has one content
	lost := map[string]bool{}                                // directories
	for _, path := range slices.Sorted(maps.Keys(f.names)) { // those above come first
		n := f.names[path]
		i := n.since[random.IntN(len(n.since))]
		if i == nil || lost[filepath.Dir(path)] {
			lost[path] = true // which nothing is below, of a file
			continue
		}
		if i == directory {
			if err := os.MkdirAll(filepath.Join(into, path), 0o700); err != nil {
				return err
			}
			continue
		}
		if _, ok := contents[i]; !ok {
			content, err := i.remains(random)
			if err != nil {
				return err
			}
			contents[i] = content
		}
		to := filepath.Join(into, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(to, contents[i], 0o600); err != nil {
			return err
		}
	}
	return nil
}

const block = 4 << 10

// remains makes up what is left of a file.
func (i *inode) remains(random *rand.Rand) ([]byte, error) {
	if !i.dirty {
		return i.durable, nil
	}
	now, err := readAll(i.f)
	if err != nil {
		return nil, err
	}
	switch random.IntN(4) {
	case 0:
		return i.durable, nil
	case 1:
		return now, nil
	}
	kept := min(len(i.durable), len(now)) // a write behind it does not cut it off
	torn := make([]byte, len(now))        // zeros
	if random.IntN(2) == 0 {
		torn = torn[:kept+random.IntN(len(now)-kept+1)]
	}
	copy(torn, i.durable)
	for at := 0; at < len(torn); at += block {
		end := min(at+block, len(torn))
		if random.IntN(2) == 0 {
			copy(torn[at:end], now[at:end])
		}
	}
	return torn, nil
}

func readAll(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	content := make([]byte, info.Size())
	if len(content) == 0 {
		return nil, nil
	}
	_, err = f.ReadAt(content, 0)
	return content, err
}

func (f *FS) relative(path string) string {
	rel, err := filepath.Rel(f.root, path)
	if err != nil {
		return path
	}
	return rel
}

// stands records what a path stands for now; nil for nothing.
func (f *FS) stands(path string, i *inode) {
	path = f.relative(path)
	n := f.names[path]
	if n == nil {
		n = &name{since: []*inode{nil}}
		f.names[path] = n
	}
	n.since = append(n.since, i)
	if i == nil {
		delete(f.inodes, path)
	} else {
		f.inodes[path] = i
	}
}

func (f *FS) inodeOf(file *os.File) (*inode, error) {
	if i := f.open[file]; i != nil {
		return i, nil
	}
	return nil, &fs.PathError{Op: "find", Path: file.Name(), Err: fs.ErrNotExist}
}

var errFull = &fs.PathError{Op: "write", Path: "disk", Err: syscall.ENOSPC}
