package builds

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/services/internal/apitypes"
)

// The Dockerfile is named by its path from where one is, as docker has it, and has to be in
// the directory.
func TestDockerfileIsFound(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"app/Dockerfile", "app/docker/dev", "other/Dockerfile", "empty/x"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("app", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, c := range []struct{ dir, file, want string }{
		{"app", "", "Dockerfile"}, {"app/", "app/docker/dev", "docker/dev"}, {"link", "app/docker/dev", "docker/dev"}, {"app", "link/docker/dev", "docker/dev"}, {filepath.Join(dir, "app"), "", "Dockerfile"},
		{"app", "other/Dockerfile", "is outside of app"}, {"app", "docker/dev", "there is no"}, {"empty", "", "name the Dockerfile by --file"}, {"app", "app/docker", "there is no file"}, {"none", "", "no such file"},
	} {
		got, err := dockerfile(c.dir, c.file)
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%s in %s: %s; want %s", c.file, c.dir, got, c.want)
		}
	}
}

// A pair without a value takes that of the environment, and is left out when there is none.
func TestPairs(t *testing.T) {
	known := func(name string) (string, bool) { return "known", name == "A" }
	got, err := pairs("--build-arg", []string{"A", "B", "C=", "D=x=y"}, known)
	if want := map[string]string{"A": "known", "C": "", "D": "x=y"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, bad := range []string{"A", "=x"} {
		if _, err := pairs("--label", []string{bad}, nil); err == nil || !strings.Contains(err.Error(), "--label "+bad+": write NAME=VALUE") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// Changes are waited out: until there was none for a while, or until they have gone on for
// long.
func TestChangesAreWaitedOut(t *testing.T) {
	for what, c := range map[string]struct {
		changes int
		every   time.Duration
		want    time.Duration
	}{
		"one":             {1, 0, quietFor},
		"several at once": {5, quietFor / 2, 4*(quietFor/2) + quietFor},
		"without an end":  {1000, quietFor / 2, changesFor},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			changed := make(chan struct{}, 1)
			go func() {
				for range c.changes {
					select {
					case changed <- struct{}{}:
					case <-ctx.Done():
						return
					}
					time.Sleep(c.every)
				}
			}()
			began := time.Now()
			if ok := settled(ctx, changed); !ok || time.Since(began) != c.want {
				t.Errorf("%s: %t after %s; want %s", what, ok, time.Since(began), c.want)
			}
			cancel()
			if settled(ctx, make(chan struct{})) {
				t.Errorf("%s: it goes on after the end", what)
			}
			time.Sleep(time.Second) // so that the changes end
		})
	}
}

// Where builds are told, one of a directory is told by the directory.
func TestUploadedDirectoryIsShown(t *testing.T) {
	v := apitypes.Build{ID: "0191d1a0-0000-7000-8000-0000b9f5a2f0", Upload: &apitypes.BuildUpload{Digest: "sha256:cfcb8bb94a3bd1a0", Size: 2048}}
	if got := headline(v, time.Time{}); got != "build b9f5a2f0: uploaded directory at cfcb8bb9, queued just now" {
		t.Error(got)
	}
	if got := facts(v)[1][1]; got != "an uploaded directory, sha256:cfcb8bb94a3bd1a0, 2.0 KiB" {
		t.Error(got)
	}
}

func TestAutotestsHaveToBeThere(t *testing.T) {
	for file, good := range map[string]bool{"docker-compose.test.yml": true, "a-test.yml": true, "hooks/test": true, "hooks/build": false, "docker-compose.yml": false} {
		dir := t.TempDir()
		path := filepath.Join(dir, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
		if err := hasAutotests(dir); (err == nil) != good {
			t.Errorf("%s: %v", file, err)
		}
	}
}
