package dockerd

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/caged"
)

// Tools are the paths of the programs that the driver needs.
type Tools struct {
	Dockerd string // 20.10 or newer, with containerd, runc and the docker command beside it
	Compose string // docker-compose, version 2
}

// FindTools looks for the programs in a directory, and then on PATH. What it does not
// find is "".
func FindTools(dir string) Tools {
	return Tools{Dockerd: caged.FindProgram("", "dockerd"), Compose: caged.FindProgram(dir, "docker-compose")}
}

// Check says all that this machine lacks for hooks and autotests, and what installs it.
func (t Tools) Check() error {
	errs := []error{caged.CheckMachine(), cage.UsersCheck()}
	lacks := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	lacks(t.Dockerd == "", "dockerd is not installed: apt install docker.io")
	lacks(t.Dockerd != "" && !shown(t.Dockerd), "%s is not below /usr, which is what builds see of this machine", t.Dockerd)
	for program, of := range map[string]string{"docker": "docker.io", "containerd": "containerd", "runc": "runc", "iptables": "iptables", "bash": "bash"} {
		path, err := exec.LookPath(program)
		lacks(err != nil || !shown(path), "%s is not installed below /usr: apt install %s", program, of)
	}
	lacks(t.Compose == "", "docker-compose is not installed: go tool -modfile=tools/go.mod task builder-tools")
	if t.Compose != "" {
		errs = append(errs, checkCompose(t.Compose))
	}
	return errors.Join(errs...)
}

// checkCompose refuses version 1, which has other options.
func checkCompose(program string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "version", "--short")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil || strings.HasPrefix(string(out), "1.") {
		return fmt.Errorf("%s is not version 2 of docker-compose: go tool -modfile=tools/go.mod task builder-tools", program)
	}
	return nil
}

// shown says whether a program can be seen in a cage.
func shown(program string) bool {
	path, err := filepath.EvalSymlinks(program)
	return err == nil && strings.HasPrefix(path, "/usr/")
}
