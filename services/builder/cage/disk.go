package cage

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A disk is a file system of fixed size: a file without a name behind a loop device,
// that both vanish with their last user. It has no journal and is never written to
// the machine's disk on purpose: nobody reads it after the cage has ended.
type disk struct {
	device string // such as /dev/loop3

	mu   sync.Mutex
	loop *os.File // until it is mounted
	root *os.File // a directory of it, from then on
}

const minDisk = 16 << 20 // bytes

// Mkfs is the path of mkfs.ext4, which makes disks. It may not be there.
func Mkfs() string {
	for _, dir := range filepath.SplitList(searchPath) {
		path := filepath.Join(dir, "mkfs.ext4")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return "/usr/sbin/mkfs.ext4"
}

func newDisk(dir string, size int64) (*disk, error) {
	path := filepath.Join(dir, "disk")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	defer os.Remove(path) // the loop device keeps it
	if err := file.Truncate(max(size, minDisk)); err != nil {
		return nil, err
	}
	mkfs := exec.Command(Mkfs(), "-q", "-F", "-m", "0", "-i", "8192", "-O", "^has_journal,^resize_inode",
		"-E", "lazy_itable_init=1,nodiscard,root_owner=0:0", path)
	mkfs.Env = []string{"PATH=" + searchPath, "LC_ALL=C", "MKE2FS_CONFIG=/dev/null"}
	var said bytes.Buffer
	mkfs.Stderr = &said
	if err := mkfs.Run(); err != nil {
		return nil, fmt.Errorf("mkfs.ext4: %w: %.300s", err, strings.TrimSpace(said.String()))
	}
	return attach(file)
}

// attach finds a free loop device for a file.
func attach(file *os.File) (*disk, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	for range 100 {
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("find a free loop device: %w", err)
		}
		device := fmt.Sprintf("/dev/loop%d", n)
		loop, err := os.OpenFile(device, os.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		err = unix.IoctlLoopConfigure(int(loop.Fd()), &unix.LoopConfig{Fd: uint32(file.Fd()),
			Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}})
		if err == nil {
			return &disk{device: device, loop: loop}, nil
		}
		loop.Close()
		if !errors.Is(err, unix.EBUSY) { // another was faster
			return nil, fmt.Errorf("attach %s: %w", device, err)
		}
	}
	return nil, errors.New("no loop device is free")
}

// mounted says that the file system is mounted, and one of its directories.
func (d *disk) mounted(root *os.File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.loop.Close()
	d.loop, d.root = nil, root
}

// free is how many bytes can be written; ok is false when there is no disk any more.
func (d *disk) free() (n int64, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var s unix.Statfs_t
	if d.root == nil || unix.Fstatfs(int(d.root.Fd()), &s) != nil {
		return 0, false
	}
	if s.Ffree == 0 { // no file more
		return 0, true
	}
	return int64(s.Bavail) * s.Bsize, true
}

// shutDown lets the file system forget what is not written yet, so that its end does
// not wait for the machine's disk (EXT4_IOC_SHUTDOWN, without flushing).
func (d *disk) shutDown() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.root != nil {
		const ioctlShutdown, noLogFlush = 0x8004587d, 2
		unix.IoctlSetPointerInt(int(d.root.Fd()), ioctlShutdown, noLogFlush)
	}
}

// close gives up the disk.
func (d *disk) close() {
	d.shutDown()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range []*os.File{d.loop, d.root} {
		if f != nil {
			f.Close()
		}
	}
	d.loop, d.root = nil, nil
}
