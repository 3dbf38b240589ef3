package hostagent_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// app is the program that the containers of tests run, as a static file.
var app = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "app")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "app")
	c := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, "./testdata/app")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		return text, err
	}
	return os.ReadFile(out)
})
