package dockerd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"hubledger/services/builder/driver"
	"hubledger/services/internal/buildrule"
)

// testsIn are the names of the autotests in a directory, in their order.
func testsIn(dir *os.File) (names []string, err error) {
	entries, err := dir.ReadDir(-1)
	for _, e := range entries {
		if e.Type()&(fs.ModeDir|fs.ModeSocket|fs.ModeNamedPipe|fs.ModeDevice) == 0 && buildrule.IsTest(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, err
}

// tests runs the autotests one after another, until one fails.
func (r *runner) tests() error {
	if !r.plan.Tests {
		return nil
	}
	dir, err := os.Open(r.plan.Dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	files, err := testsIn(dir)
	if err != nil {
		return err
	}
	for n, file := range files {
		project := "autotest" + strconv.Itoa(n+1)
		if err := r.told("autotest "+file, false, func(digest string) error { return r.test(digest, file, project) }); err != nil {
			return err
		}
	}
	return nil
}

// test runs the service sut of a Compose file, with what that depends on. What sut
// ends with decides.
func (r *runner) test(digest, file, project string) error {
	do := func(args ...string) []string {
		return append([]string{compose, "--progress", "quiet", "-f", file, "-p", project}, args...)
	}
	defer func() { r.run(digest, do("down", "--volumes", "--remove-orphans", "--timeout", "0")...) }()
	if err := r.run(digest, do("build")...); err != nil {
		return fmt.Errorf("its images cannot be built: %w", err)
	}
	if err := r.run(digest, do("up", "--detach", "sut")...); err != nil {
		return fmt.Errorf("its services do not start: %w", err)
	}
	id, err := r.output(digest, do("ps", "--all", "--quiet", "sut")...)
	if id == "" || err != nil {
		return errors.Join(errors.New("it has no service sut that runs"), err)
	}
	if err := r.run(digest, "docker", "logs", "--follow", id); err != nil {
		return fmt.Errorf("the log of sut: %w", err)
	}
	code, err := r.output(digest, "docker", "wait", id)
	if err != nil {
		return fmt.Errorf("wait for sut: %w", err)
	}
	if code != "0" {
		return fmt.Errorf("sut ended with exit code: %s", cmp.Or(code, "none"))
	}
	return nil
}

// output is what a command prints, without the end of the line.
func (r *runner) output(digest string, args ...string) (string, error) {
	cmd := r.command(args...)
	cmd.Stderr = logger{r, digest, driver.Stderr}
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), ended(err)
}
