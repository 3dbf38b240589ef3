package dockerd_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"hubledger/services/builder/dockerd"
	"hubledger/services/builder/driver"
)

type named string

func (n named) Prepare(context.Context, driver.Spec) (driver.Build, error) {
	return nil, errors.New(string(n))
}

// Hooks that count, and autotests of builds that are to be tested, decide on the driver.
func TestSwitch(t *testing.T) {
	for _, c := range []struct {
		file  string
		tests bool
		want  string
	}{
		{"app/hooks/build", false, "hooks"}, {"app/hooks/post_push", false, "hooks"}, {"app/hooks/other", true, "others"}, {"hooks/build", true, "others"},
		{"app/docker-compose.test.yml", true, "hooks"}, {"app/x-test.yml", true, "hooks"}, {"app/docker-compose.test.yml", false, "others"},
		{"docker-compose.test.yml", true, "others"}, {"app/docker-compose.tests.yml", true, "others"}, {"app/hooks/build/file", true, "others"},
	} {
		dir := t.TempDir()
		for _, file := range []string{"app/Dockerfile", c.file} {
			path := filepath.Join(dir, file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		s := driver.Spec{Checkout: dir, Dockerfile: "app/Dockerfile", Facts: driver.Facts{Tests: c.tests}}
		if _, err := (dockerd.Switch{Hooks: named("hooks"), Others: named("others")}).Prepare(t.Context(), s); err == nil || err.Error() != c.want {
			t.Errorf("%s, to be tested %t: %v", c.file, c.tests, err)
		}
		want := "others"
		if c.want == "hooks" {
			want = "no-hooks: what is built has " + c.file + ", which this builder does not run: they are off"
		}
		if _, err := (dockerd.Switch{Why: errors.New("they are off"), Others: named("others")}).Prepare(t.Context(), s); err == nil || err.Error() != want {
			t.Errorf("%s, hooks off: %v", c.file, err)
		}
	}
}
