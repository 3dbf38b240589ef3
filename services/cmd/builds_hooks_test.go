package cmd

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hubledger/services/builder/drivers"
	"hubledger/services/registry/registrytest"
)

// files writes files of the git repository, without committing them.
func (h *gitHub) files(list map[string]string) {
	h.t.Helper()
	for name, text := range list {
		path := filepath.Join(h.git.Work, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
			h.t.Fatal(err)
		}
	}
}

// A builder whose operator has not turned hooks on says so, instead of making another
// image than Docker Hub did; the build waits for one that runs them.
func TestHooksAreOff(t *testing.T) {
	h := startGitHub(t)
	h.files(map[string]string{"hooks/build": "#!/bin/sh\n"})
	h.commit(map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}, "v3.0")
	h.await("the reason why it waits", func() bool {
		list := h.builds()
		return len(list) > 0 && list[0].State == "waiting" && list[0].Reason == "no-hooks" && strings.Contains(list[0].Detail, "--builder-hooks on")
	})
	if log := h.run("builds", "logs", "admin/app"); !strings.Contains(log, "what is built has hooks/build, which this builder does not run") {
		t.Errorf("its log is\n%s", log)
	}
}

// A git tag is built by the hooks of its repository, tested, and becomes an image with
// all tags of the rule; docker pulls it and runs it.
func TestHooksEndToEnd(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("starts an engine of Docker for each build: set HUBLEDGER_SOAK=1")
	}
	tools, err := filepath.Abs(filepath.Join("..", "..", ".tmp", "bin"))
	if err != nil {
		t.Fatal(err)
	}
	if err := drivers.FindTools(tools, true).CheckHooks(); err != nil {
		missing(t, err.Error())
	}
	h := startGitHub(t, "--builder-hooks", "on")
	greeter := filepath.Join(t.TempDir(), "greeter")
	source := writeFile(t, filepath.Join(t.TempDir(), "main.go"), "package main\n\nimport \"os\"\n\nfunc main() {\n\ttext, err := os.ReadFile(\"/greeting\")\n\tif err != nil {\n\t\tpanic(err)\n\t}\n\tos.Stdout.Write(text)\n}\n")
	build := exec.Command("go", "build", "-o", greeter, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := os.ReadFile(greeter)
	if err != nil {
		t.Fatal(err)
	}
	h.files(map[string]string{"greeter": string(program), "hooks/pre_build": "#!/bin/bash\necho \"$SOURCE_BRANCH of $COMMIT_MSG\" > greeting\n",
		"hooks/build":             "#!/bin/bash\nset -e\ndocker build -t $IMAGE_NAME .\n",
		"hooks/test":              "#!/bin/bash\nset -e\ndocker-compose -f docker-compose.test.yml -p mine run --rm sut\n",
		"docker-compose.test.yml": "services:\n  sut:\n    image: $IMAGE_NAME\n"})
	h.commit(map[string]string{"Dockerfile": "FROM scratch\nCOPY greeter greeting /\nCMD [\"/greeter\"]\n"}, "v3.0")
	got := h.ended(2)
	release := got["release"]
	log := h.run("builds", "logs", "admin/app", release.ID)
	if release.Outcome != "succeeded" || strings.Join(release.Set, " ") != "3.0 latest" || !strings.Contains(log, "==> hooks/test") || !strings.Contains(log, "v3.0 of change") {
		t.Fatalf("it ended as %+v\n%s", release, log)
	}
	c := registrytest.NewClient(h.URL)
	c.User, c.Password = "admin", adminPassword
	defer c.Close()
	for _, tag := range release.Set {
		if d, err := c.Pull("admin/app", tag); err != nil || d.String() != release.Digest {
			t.Errorf("%s is %s, %v; the build says %s", tag, d, err, release.Digest)
		}
	}
	shown := h.run("--json", "builds", "show", "admin/app", release.ID)
	for name, kind := range map[string]string{"hooks/build": "build", "hooks/test": "test", "pushing the image": "push"} {
		if !regexp.MustCompile(`"kind":\s*"` + kind + `",\s*"name":\s*"` + name + `"`).MatchString(shown) {
			t.Errorf("it has no step %s of the kind %s:\n%s", name, kind, shown)
		}
	}
	d := docker(t, credentialsOf(t, h.hubProcess, "admin", adminPassword)...)
	d.run(t, "pull", "-q", h.Addr+"/admin/app:3.0")
	if out := d.run(t, "run", "--rm", "--network", "none", h.Addr+"/admin/app:3.0"); out != "v3.0 of change" {
		t.Errorf("it says %q", out)
	}
}
