package cage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"hubledger/services/builder/cgroup"
)

// system are the directories with programs and libraries that are shown inside,
// where there are such. In many systems all but usr are links into it.
var system = []string{"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc/ld.so.cache", "etc/ld.so.conf", "etc/ld.so.conf.d", "etc/alternatives"}

var devices = []string{"null", "zero", "full", "random", "urandom", "tty"}

const sysfs = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RDONLY

const memory = "size=64m,nr_inodes=16k,mode=755" // of what is kept in memory

// build makes the root directory of the cage and moves into it.
func (o *orders) build() error {
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("make a namespace of control groups: %w", err)
	}
	root := filepath.Join(o.Dir, "root")
	m := &mounts{root: root, unprivileged: o.Unprivileged}
	m.mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	m.mount("cage", root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, memory)
	m.own("/")
	for _, name := range system {
		m.show("/"+name, "/"+name, 0)
	}
	for to, from := range o.Binds {
		m.show(from, to, 0)
	}
	m.dir("/proc", "/sys", "/dev", "/disk", "/tmp", "/root", "/run", "/etc", "/old")
	m.mount("proc", m.at("/proc"), "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	if !o.Unprivileged { // they may not write there, and mount their own
		for _, path := range []string{"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"} {
			m.show(m.at(path), path, 0)
		}
	}
	m.mount("sysfs", m.at("/sys"), "sysfs", sysfs, "")
	if !o.Unprivileged {
		m.groups(o.Hierarchies)
	}
	m.mount("cage", m.at("/dev"), "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, memory)
	for _, name := range devices {
		m.show("/dev/"+name, "/dev/"+name, unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_RDONLY)
	}
	m.link("/proc/self/fd", "/dev/fd")
	for n, name := range []string{"stdin", "stdout", "stderr"} {
		m.link(fmt.Sprintf("/proc/self/fd/%d", n), "/dev/"+name)
	}
	m.mount(o.Loop, m.at("/disk"), "ext4", unix.MS_NOATIME|unix.MS_NODEV, "nobarrier")
	m.own("/disk")
	m.dir("/disk/tmp")
	m.mount(m.at("/disk/tmp"), m.at("/tmp"), "", unix.MS_BIND, "")
	m.file("/etc/hosts", hosts(o.Listen, o.Hosts))
	m.dir(o.Dirs...)
	for path, data := range o.Files {
		m.file(path, data)
	}
	for to, from := range o.Copies {
		m.copy(from, to)
	}
	if m.err != nil {
		return m.err
	}
	return o.enter(root)
}

// enter makes the directory the root, so that nothing else can be seen.
func (o *orders) enter(root string) error {
	if err := unix.PivotRoot(root, filepath.Join(root, "old")); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if err := unix.Unmount("/old", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the machine's root: %w", err)
	}
	if err := os.Remove("/old"); err != nil {
		return err
	}
	return unix.Sethostname([]byte("build"))
}

// mounts makes what is below a root directory, until something fails.
type mounts struct {
	root         string
	unprivileged bool // what is made belongs to firstUser
	err          error
}

func (m *mounts) at(path string) string { return filepath.Join(m.root, path) }

func (m *mounts) fail(what, path string, err error) {
	if m.err == nil && err != nil {
		m.err = fmt.Errorf("%s %s: %w", what, strings.TrimPrefix(path, m.root), err)
	}
}

func (m *mounts) mount(from, to, kind string, flags uintptr, data string) {
	if m.err == nil {
		m.fail("mount", to, unix.Mount(from, to, kind, flags, data))
	}
}

func (m *mounts) dir(paths ...string) {
	for _, p := range paths {
		if _, err := os.Lstat(m.at(p)); m.err != nil || err == nil {
			continue
		}
		m.dir(filepath.Dir(p))
		if m.err == nil {
			m.fail("make", p, os.Mkdir(m.at(p), 0o755))
			m.own(p)
		}
	}
}

func (m *mounts) link(to, path string) {
	if m.err == nil {
		m.fail("link", path, os.Symlink(to, m.at(path)))
	}
}

func (m *mounts) file(path string, data []byte) {
	m.dir(filepath.Dir(path))
	if m.err == nil {
		m.fail("write", path, os.WriteFile(m.at(path), data, 0o600))
		m.own(path)
	}
}

// own gives a file to the programs of a user namespace.
func (m *mounts) own(path string) {
	if m.err == nil && m.unprivileged {
		m.fail("give away", path, os.Lchown(m.at(path), firstUser, firstUser))
	}
}

// copy copies a directory. Nobody changes it meanwhile.
func (m *mounts) copy(from, to string) {
	m.dir(filepath.Dir(to))
	if m.err != nil {
		return
	}
	if err := os.CopyFS(m.at(to), os.DirFS(from)); err != nil {
		m.fail("copy", to, err)
		return
	}
	m.fail("give away", to, filepath.WalkDir(m.at(to), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && m.unprivileged {
			err = os.Lchown(path, firstUser, firstUser)
		}
		return err
	}))
}

// show makes a file or directory of the machine visible, to be read only, without
// devices and set-user-ID; but not what of that stands in except. One that is not
// there is left out, and a link is made anew.
func (m *mounts) show(from, to string, except uint64) {
	if m.err != nil {
		return
	}
	info, err := os.Lstat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		m.fail("look at", from, err)
		return
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		m.fail("read", from, err)
		m.dir(filepath.Dir(to))
		m.link(target, to)
		return
	case info.IsDir():
		m.dir(to)
	default:
		m.dir(filepath.Dir(to))
		if _, err := os.Lstat(m.at(to)); err != nil {
			m.file(to, nil)
		}
	}
	m.mount(from, m.at(to), "", unix.MS_BIND|unix.MS_REC, "")
	if m.err == nil {
		attributes := unix.MountAttr{Attr_set: (unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV) &^ except}
		m.fail("protect", to, unix.MountSetattr(-1, m.at(to), unix.AT_RECURSIVE, &attributes))
	}
}

// groups mounts the control groups, whose roots are here the build's.
func (m *mounts) groups(list []cgroup.Hierarchy) {
	single := len(list) == 1 && list[0].V2()
	if !single {
		m.mount("cage", m.at("/sys/fs/cgroup"), "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, memory)
	}
	for _, h := range list {
		to := "/sys/fs/cgroup"
		if !single {
			to = filepath.Join(to, filepath.Base(h.Path))
			m.dir(to)
		}
		kind := "cgroup"
		if h.V2() {
			kind = "cgroup2"
		}
		m.mount("cgroup", m.at(to), kind, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, h.Options)
		if h.V2() && m.err == nil {
			// A group that limits those below it has no processes itself.
			daemon := m.at(filepath.Join(to, "daemon"))
			m.fail("make", daemon, os.Mkdir(daemon, 0o755))
			m.fail("enter", daemon, os.WriteFile(filepath.Join(daemon, "cgroup.procs"), []byte("0"), 0))
			m.fail("share", to, cgroup.Enable(m.at(to), h.Controllers))
		}
	}
}
