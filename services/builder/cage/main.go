package cage

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"hubledger/services/builder/cgroup"
)

// name is what the first process of a cage is started as.
const name = "hubledger-cage"

const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// orders are what the first process is told.
type orders struct {
	Config
	Loop        string // the device of the disk
	Hierarchies []cgroup.Hierarchy
}

// Inside says whether this process is the first one of a cage, or of the user
// namespace in one, which calls Main.
func Inside() bool { return (os.Args[0] == name || os.Args[0] == innerName) && os.Getpid() == 1 }

// Main makes the cage from inside, runs its programs, and ends the process.
func Main() {
	// Namespaces and capabilities are those of a thread.
	runtime.LockOSThread()
	control, err := unixConn(3)
	if err != nil {
		os.Exit(125)
	}
	unix.CloseOnExec(4)
	exit, said := Exit{}, false
	if os.Args[0] == innerName {
		exit = inner(control)
	} else {
		exit, said = inside(control)
	}
	if !said {
		sendExit(control, exit)
	}
	os.Exit(exit.Code)
}

// inside makes the cage. said is that a process in it has told the exit.
func inside(control *net.UnixConn) (exit Exit, said bool) {
	fail := func(what string, err error) (Exit, bool) { return Exit{Code: 125, Error: what + err.Error()}, false }
	text, err := readFrame(control)
	if err != nil {
		return fail("read the orders: ", err)
	}
	var o orders
	if err := json.Unmarshal(text, &o); err != nil {
		return fail("read the orders: ", err)
	}
	if err := o.build(); err != nil {
		return fail("", err)
	}
	// A dump has secrets. 0 would not keep it from a program of the machine (core(5)).
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 1, Max: 1}); err != nil {
		return fail("limit dumps: ", err)
	}
	if o.Unprivileged {
		return o.enterUsers(control, text)
	}
	if err := o.open(control); err != nil {
		return fail("", err)
	}
	if err := dropCapabilities(); err != nil {
		return fail("give up capabilities: ", err)
	}
	return o.programs(), false
}

// open sends a directory of the disk and the sockets to the outside.
func (o *orders) open(control *net.UnixConn) error {
	root, err := os.Open("/disk")
	if err != nil {
		return err
	}
	files := []*os.File{root}
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for n, address := range o.Listen {
		if err := network(address, n); err != nil {
			return err
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		socket, err := l.(*net.TCPListener).File()
		l.Close()
		if err != nil {
			return err
		}
		files = append(files, socket)
	}
	return sendFiles(control, files...)
}

// readyWithin bounds the start of the daemon.
const readyWithin = time.Minute

// programs runs the daemon and the program, and takes in every process that lost its
// parent, as the first process of a namespace has to.
func (o *orders) programs() (exit Exit) {
	null, err := os.Open("/dev/null")
	if err != nil {
		return Exit{Code: 125, Error: err.Error()}
	}
	daemon := 0
	if len(o.Daemon) > 0 {
		if daemon, exit = o.daemon(null); exit.Error != "" {
			return exit
		}
	}
	program, err := start(o.Program, o.Env, null, os.Stdout, os.Stderr)
	if err != nil {
		return Exit{Code: 125, Error: "start the program: " + err.Error()}
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return Exit{Code: 125, Daemon: exit.Daemon, Error: "wait: " + err.Error()}
		case pid == daemon:
			exit.Daemon = describe(status)
		case pid == program:
			exit.Code = status.ExitStatus()
			if status.Signaled() {
				exit.Code = 128 + int(status.Signal())
			}
			exit.Result = readResult(o.Result)
			return exit
		}
	}
}

// daemon starts the daemon and waits until it is ready.
func (o *orders) daemon(null *os.File) (pid int, exit Exit) {
	logs := os.NewFile(4, "log")
	defer logs.Close()
	pid, err := start(o.Daemon, o.Env, null, logs, logs)
	if err != nil {
		return 0, Exit{Code: 125, Error: "start the daemon: " + err.Error()}
	}
	for until := time.Now().Add(readyWithin); ; time.Sleep(2 * time.Millisecond) {
		c, err := net.Dial("unix", o.Ready)
		if err == nil {
			c.Close()
			return pid, Exit{}
		}
		var status unix.WaitStatus
		if ended, _ := unix.Wait4(pid, &status, unix.WNOHANG, nil); ended == pid {
			return 0, Exit{Code: 125, Daemon: describe(status), Error: "the daemon ended when it was started: " + describe(status)}
		}
		if time.Now().After(until) {
			return 0, Exit{Code: 125, Error: "the daemon was not ready within " + readyWithin.String()}
		}
	}
}

func start(args, env []string, in, out, err *os.File) (pid int, _ error) {
	p, startErr := os.StartProcess(args[0], args, &os.ProcAttr{Dir: "/", Env: env, Files: []*os.File{in, out, err}})
	if startErr != nil {
		return 0, startErr
	}
	pid = p.Pid
	return pid, p.Release()
}

func describe(s unix.WaitStatus) string {
	if s.Signaled() {
		return "signal: " + s.Signal().String()
	}
	return fmt.Sprintf("exit status %d", s.ExitStatus())
}

const maxResult = 1 << 20

func readResult(path string) []byte {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxResult {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return text
}

// given up are capabilities that no build needs and that reach beyond a cage.
var givenUp = []uintptr{unix.CAP_SYS_MODULE, unix.CAP_SYS_RAWIO, unix.CAP_SYS_BOOT, unix.CAP_SYS_TIME, unix.CAP_SYSLOG,
	unix.CAP_MAC_ADMIN, unix.CAP_MAC_OVERRIDE, unix.CAP_WAKE_ALARM, unix.CAP_BLOCK_SUSPEND, unix.CAP_AUDIT_CONTROL,
	unix.CAP_AUDIT_READ, unix.CAP_LINUX_IMMUTABLE, unix.CAP_PERFMON, unix.CAP_CHECKPOINT_RESTORE}

// dropCapabilities takes them from this thread, so from all that it starts.
func dropCapabilities() error {
	for _, c := range givenUp {
		// EINVAL: the kernel does not know it.
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL {
			return err
		}
	}
	return nil
}

// hosts is /etc/hosts: names for the address of the first socket.
func hosts(listen, names []string) []byte {
	text := "127.0.0.1 localhost\n::1 localhost\n"
	if len(listen) == 0 {
		return []byte(text)
	}
	if host, _, err := net.SplitHostPort(listen[0]); err == nil {
		for _, n := range slices.Sorted(slices.Values(names)) {
			if net.ParseIP(n) == nil && n != "localhost" {
				text += host + " " + n + "\n"
			}
		}
	}
	return []byte(text)
}
