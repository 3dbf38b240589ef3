package worker

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hubledger/services/internal/repository"
)

// Only a text of the checkout becomes a README.
func TestReadReadme(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.WriteFile(outside, []byte("secret"), 0o600))
	check(os.Mkdir(filepath.Join(dir, "docs"), 0o700))
	for name, text := range map[string]string{"README.md": "# App", "docs/README.md": "# Docs", "large": strings.Repeat("x", repository.MaxReadme+1), "most": strings.Repeat("x", repository.MaxReadme),
		"bytes": "\xff", "nul": "a\x00b", "empty": ""} {
		check(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for name, to := range map[string]string{"inside": "README.md", "outside": outside, "up": "../../secret"} {
		check(os.Symlink(to, filepath.Join(dir, name)))
	}
	check(syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	for name, want := range map[string]string{"README.md": "# App", "docs/README.md": "# Docs", "/docs//README.md": "# Docs", "inside": "# App", "most": strings.Repeat("x", repository.MaxReadme), "empty": ""} {
		if text, err := readReadme(dir, name, ""); err != nil || text != want {
			t.Errorf("%s: %.20q, %v", name, text, err)
		}
	}
	for _, name := range []string{"large", "bytes", "nul", "outside", "up", "pipe", "docs", "nothing", "."} {
		if text, err := readReadme(dir, name, ""); err == nil {
			t.Errorf("%s is taken: %.20q", name, text)
		}
	}
	if text, err := readReadme(dir, "README.md", SumOf("# App")); err != nil || text != "" {
		t.Errorf("the one that is known: %q, %v", text, err)
	}
}
