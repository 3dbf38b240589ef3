// Package cage runs programs as root in namespaces of their own: they see a root
// directory made for them, no network but listening sockets that this process
// serves, no process but their own, and write to a file system of fixed size. All of
// it ends when the first of them ends, or this process does.
//
// The program is started again as the first process of the cage, so main must begin
// with
//
//	if cage.Inside() {
//		cage.Main()
//	}
package cage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hubledger/services/builder/cgroup"
)

// A Config says what a cage is made of. Its paths are absolute.
type Config struct {
	// Dir is a directory of the cage, outside, which has to be there. Files in it are
	// removed by who made it.
	Dir string
	// Disk is the size of the file system at /disk, in bytes.
	Disk int64
	// Binds are directories and files of the machine that can be read inside,
	// besides the programs and libraries of the system: by their path inside.
	Binds map[string]string
	// Copies are directories of the machine that are copied to the disk, with links as
	// links: by their path inside. The programs own them.
	Copies map[string]string
	// Unprivileged gives the programs a user namespace of their own, in which they are
	// root: to the machine they are users that own nothing but the disk, Copies and
	// Files. It is for programs that have to be root inside and are not trusted.
	Unprivileged bool
	// Dirs are made, empty and in memory.
	Dirs []string
	// Files are written to memory, for root alone: by their path inside.
	Files map[string][]byte
	// Listen are the addresses of the sockets, such as "127.0.0.1:5000"; Hosts are
	// names that lead to the first.
	Listen []string
	Hosts  []string
	// Daemon runs all the time, unless it is empty; Ready is the socket that it makes
	// when it is ready. Program then runs, and the cage ends with it.
	Daemon, Program []string
	Ready           string
	// Env is the environment of both.
	Env []string
	// Result is a file inside whose content is returned after Program has ended.
	Result string
	// Group limits all of it.
	Group *cgroup.Group `json:"-"`
	// Stdout and Stderr are Program's, and DaemonLog has what Daemon writes.
	Stdout, Stderr, DaemonLog io.Writer `json:"-"`
}

// A Cage runs.
type Cage struct {
	// Listeners are the sockets of Config.Listen, inside. Each has at most MaxConnections
	// open at once.
	Listeners []net.Listener

	cmd    *exec.Cmd
	disk   *disk
	handed chan struct{} // closed when handOver does not read any more
	ended  chan struct{}
	result Exit
	err    error
	once   sync.Once
}

// An Exit is how the programs of a cage ended.
type Exit struct {
	Code   int    // of Program; 128 and the signal's number when one ended it
	Result []byte // of Config.Result; nil when there was no such file
	// Daemon says how the daemon ended when it did so before Program: "signal: killed".
	Daemon string
	// Error is why the cage could not be made or the programs not started.
	Error string
}

// Start makes the cage and starts its programs. It returns when the sockets are open.
func Start(ctx context.Context, c Config) (*Cage, error) {
	cage := &Cage{handed: make(chan struct{}), ended: make(chan struct{})}
	d, err := newDisk(c.Dir, c.Disk)
	if err != nil {
		return nil, fmt.Errorf("make the disk of a cage: %w", err)
	}
	cage.disk = d
	ours, theirs, err := socketPair()
	if err != nil {
		d.close()
		return nil, err
	}
	started := make(chan error, 1)
	go cage.run(&c, ours, theirs, started)
	if err := <-started; err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, cage.Kill)
	defer stop()
	if err := cage.handOver(&c, ours); err != nil {
		cage.Kill()
		<-cage.ended
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("its first process ended (%s) before it was made; main has to begin with cage.Main", cage.cmd.ProcessState)
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("make a cage: %w", err)
	}
	return cage, nil
}

// run starts the first process and waits for its end on one thread of the operating
// system: the kernel kills the process when that thread ends.
func (cage *Cage) run(c *Config, ours *net.UnixConn, theirs *os.File, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer ours.Close()
	logs, daemonLog, err := os.Pipe()
	if err != nil {
		cage.disk.close()
		theirs.Close()
		started <- err
		return
	}
	defer logs.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{name}
	cmd.Env = []string{}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = c.Stdout, c.Stderr
	cmd.ExtraFiles = []*os.File{theirs, daemonLog} // 3 and 4
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true,
	}
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		daemonLog.Close()
		theirs.Close()
		started <- fmt.Errorf("start the first process of a cage: %w", err)
		return
	}
	theirs.Close()
	daemonLog.Close()
	cage.cmd = cmd
	started <- nil
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		io.Copy(c.DaemonLog, logs)
	}()
	err = cmd.Wait() // no process of the cage is left
	<-copied
	<-cage.handed
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) && !errors.Is(err, exec.ErrWaitDelay) {
		cage.err = err
	}
	cage.result.Code = exitCode(cmd.ProcessState)
	// A cage that was killed says nothing.
	if exit, err := receiveExit(ours); err == nil {
		cage.result = exit
	}
	cage.disk.close()
	close(cage.ended)
}

// handOver tells the first process what to do, and takes the sockets that it opens.
func (cage *Cage) handOver(c *Config, ours *net.UnixConn) error {
	defer close(cage.handed)
	if c.Unprivileged {
		if err := c.Group.Delegate(firstUser); err != nil {
			return err
		}
	}
	if err := c.Group.Add(cage.cmd.Process.Pid); err != nil {
		return err
	}
	orders := orders{Config: *c, Loop: cage.disk.device, Hierarchies: c.Group.Hierarchies()}
	text, err := json.Marshal(orders)
	if err != nil {
		return err
	}
	if err := writeFrame(ours, text); err != nil {
		return err
	}
	if c.Unprivileged {
		if err := receiveStart(ours); err != nil {
			return err
		}
		if err := c.Group.SetAside(cage.cmd.Process.Pid); err != nil {
			return err
		}
		if err := goOn(ours); err != nil {
			return err
		}
	}
	files, err := receiveFiles(ours, 1+len(c.Listen))
	if err != nil {
		return err
	}
	cage.disk.mounted(files[0])
	for _, f := range files[1:] {
		l, err := net.FileListener(f)
		f.Close()
		if err != nil {
			return err
		}
		cage.Listeners = append(cage.Listeners, limit(l))
	}
	return nil
}

// Kill ends every process of the cage.
func (cage *Cage) Kill() {
	cage.once.Do(func() {
		cage.disk.shutDown()
		cage.cmd.Process.Kill()
	})
}

// Free is how many bytes can be written to the disk; ok is false when the cage has
// ended.
func (cage *Cage) Free() (n int64, ok bool) { return cage.disk.free() }

// Wait returns when no process of the cage is left.
func (cage *Cage) Wait() (Exit, error) {
	<-cage.ended
	for _, l := range cage.Listeners {
		l.Close()
	}
	return cage.result, cage.err
}

func exitCode(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}
