package cage

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Users of an unprivileged cage are those from firstUser on: so many, and no users of
// the machine (systemd's uid_t ranges leave these unused).
const (
	firstUser = 0x70100000
	users     = 65536
)

// innerName is what the first process of the user namespace is started as.
const innerName = "hubledger-cage-users"

// UsersCheck says why this machine has no unprivileged cages, and what to do.
func UsersCheck() error {
	text, err := os.ReadFile("/proc/sys/user/max_user_namespaces")
	if err != nil {
		return fmt.Errorf("the kernel has no user namespaces: %w", err)
	}
	if string(text) == "0\n" {
		return fmt.Errorf("user namespaces are turned off: sysctl -w user.max_user_namespaces=10000")
	}
	info, err := os.Stat("/proc/self/exe")
	if err != nil {
		return err
	}
	if info.Mode()&0o005 != 0o005 {
		return fmt.Errorf("this program has to be readable and executable by everybody: chmod a+rx %s", os.Args[0])
	}
	return nil
}

// enterUsers starts the first process of the user namespace, which goes on with the
// control socket, and waits for its end.
func (o *orders) enterUsers(control *net.UnixConn, text []byte) (exit Exit, said bool) {
	fail := func(err error) (Exit, bool) {
		return Exit{Code: 125, Error: "make a user namespace: " + err.Error()}, false
	}
	in, out, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	socket, err := control.File()
	if err != nil {
		return fail(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Args, cmd.Env, cmd.Dir = []string{innerName}, []string{}, "/"
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{socket, os.NewFile(4, "log"), in}
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: firstUser, Size: users}}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC |
			unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP,
		UidMappings: ids, GidMappings: ids, GidMappingsEnableSetgroups: true,
		Credential: &syscall.Credential{},
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return fail(err)
	}
	in.Close()
	socket.Close()
	go func() {
		writeFrame(out, text)
		out.Close()
	}()
	cmd.Wait() // how it ended is in its state
	return Exit{Code: exitCode(cmd.ProcessState)}, true
}

// inner is what the first process of the user namespace does.
func inner(control *net.UnixConn) Exit {
	unix.CloseOnExec(5)
	pipe := os.NewFile(5, "orders")
	text, err := readFrame(pipe)
	pipe.Close()
	var o orders
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		return Exit{Code: 125, Error: "read the orders: " + err.Error()}
	}
	if err := sayStart(control); err != nil {
		return Exit{Code: 125, Error: "begin in the user namespace: " + err.Error()}
	}
	m := &mounts{root: "/"}
	m.mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	m.mount("sysfs", "/sys", "sysfs", sysfs, "")
	m.groups(o.Hierarchies)
	if m.err != nil {
		return Exit{Code: 125, Error: m.err.Error()}
	}
	if err := o.open(control); err != nil {
		return Exit{Code: 125, Error: err.Error()}
	}
	return o.programs()
}
