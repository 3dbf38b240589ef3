package dockerd

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
)

// Inside says whether this process is the one that runs the phases of a build inside
// its cage, which calls Main.
func Inside() bool { return os.Args[0] == program }

// Main runs the phases and ends the process.
func Main() {
	if err := perform(); err != nil {
		if !errors.Is(err, errStep) {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(0)
}

// Names of steps that are not those of hooks or autotests.
const (
	buildStep = "docker build"
	pushStep  = "pushing the image"
)

// perform runs the phases in Docker Hub's order.
func perform() error {
	text, err := os.ReadFile(planFile)
	var p plan
	if err := errors.Join(err, json.Unmarshal(text, &p), furnish()); err != nil {
		return err
	}
	r := &runner{plan: p, out: json.NewEncoder(os.Stdout)}
	if err := r.phase("post_checkout", nil); err != nil {
		return err
	}
	if p.Cache {
		// The first build of a tag has nothing to take layers from.
		r.step("pulling "+p.Image+" for its layers", true, "docker", "pull", p.Image)
	}
	phases := []phase{{"pre_build", nil}, {"build", r.build}, {"post_build", nil}, {"pre_test", nil}, {"test", r.tests}, {"post_test", nil}}
	if p.Push {
		phases = append(phases, phase{"pre_push", nil}, phase{"push", r.push}, phase{"post_push", nil})
	}
	for _, one := range phases {
		if err := r.phase(one.hook, one.without); err != nil {
			return err
		}
	}
	return nil
}

// A phase is a hook, and what is done without it.
type phase struct {
	hook    string
	without func() error
}

// furnish makes what people expect of a machine with Docker.
func furnish() error {
	return errors.Join(os.Symlink("/run", "/var/run"), os.Chmod("/tmp", 0o1777), os.Chmod("/var/tmp", 0o1777),
		os.Symlink(compose, home+"/.docker/cli-plugins/docker-compose"))
}

// phase runs a hook if there is one.
func (r *runner) phase(hook string, without func() error) error {
	file := path.Join(r.plan.Dir, "hooks", hook)
	info, err := os.Stat(file)
	if err == nil && info.Mode().IsRegular() {
		if err := os.Chmod(file, info.Mode().Perm()|0o755); err != nil {
			return err
		}
		return r.step("hooks/"+hook, false, file)
	}
	if without == nil {
		return nil
	}
	return without()
}

// build is the build without a hook.
func (r *runner) build() error {
	p := r.plan
	args := []string{"docker", "build", "--file", p.Dockerfile}
	for _, name := range p.Names {
		args = append(args, "--tag", name)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Args)) {
		args = append(args, "--build-arg", name+"="+p.Args[name])
	}
	for _, name := range slices.Sorted(maps.Keys(p.Labels)) {
		args = append(args, "--label", name+"="+p.Labels[name])
	}
	if p.Target != "" {
		args = append(args, "--target", p.Target)
	}
	if p.Cache {
		args = append(args, "--cache-from", p.Image)
	}
	return r.step(buildStep, false, append(args, p.Context)...)
}

// push is the push without a hook. All tags get what this one has: the hub sets them.
func (r *runner) push() error { return r.step(pushStep, false, "docker", "push", r.plan.Image) }
