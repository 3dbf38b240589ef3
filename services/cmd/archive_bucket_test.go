package cmd

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// s3Server serves a directory by S3 until the test ends, with a bucket, and sets its
// address and keys in the environment of this process, which commands inherit.
func s3Server(t *testing.T) (dir string) {
	t.Helper()
	server := findTool(t, "versitygw", "task clients")
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "hub-archives"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	cmd := exec.Command(server.path, "--port", addr, "posix", "--nometa", dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY=archivist", "ROOT_SECRET_KEY=a-secret-of-the-test")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for k := 0; ; k++ {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			break
		}
		if k == 200 {
			t.Fatal("the S3 server does not listen: ", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://"+addr)
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "archivist")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-test")
	return filepath.Join(dir, "hub-archives")
}

// An archive in a bucket of a real S3 server grows, verifies, and becomes a hub again; what
// the bucket lost or an interrupted archive left is noticed.
func TestArchiveInABucket(t *testing.T) {
	objects, h := s3Server(t), startHub(t)
	const address = "s3://hub-archives/logs/hub"
	must := func(want string, args ...string) {
		t.Helper()
		out, stderr, code := h.Run(args...)
		if code != 0 || !strings.Contains(out, want) {
			t.Fatalf("%v: exit code %d, without %q\n%s%s", args, code, want, out, stderr)
		}
	}
	refused := func(code int, want string, args ...string) {
		t.Helper()
		out, stderr, got := h.Run(args...)
		if got != code || !strings.Contains(stderr, want) {
			t.Fatalf("%v: exit code %d, not %d, or without %q\n%s%s", args, got, code, want, out, stderr)
		}
	}

	refused(1, "has no complete archive", "backup", "verify", address)
	must("Archived 2 events to "+address+"; new are 2.", "archive", address)
	must("", "repos", "create", "admin/app")
	must("Archived 3 events to "+address+"; new are 1.", "archive", address)
	must("new are 0.", "archive", address)
	must("All of it is whole", "backup", "verify", address)
	if names, err := filepath.Glob(filepath.Join(objects, "logs/hub/log/*")); err != nil || len(names) != 4 {
		t.Errorf("the bucket has %v, not two segments of two files each (%v)", names, err)
	}
	if left, err := filepath.Glob(filepath.Join(h.Data, "archiving*")); err != nil || len(left) > 0 {
		t.Errorf("the data directory still has %v (%v)", left, err)
	}

	// The events of a segment that were copied without what makes it count are copied again.
	must("", "repos", "create", "admin/web")
	if err := os.WriteFile(filepath.Join(objects, "logs/hub/log/000000000004-000000000004.jsonl.zst"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	must("new are 1.", "archive", address)
	must("All of it is whole", "backup", "verify", address)

	back := filepath.Join(t.TempDir(), "back")
	if out, stderr, code := runHubledger(t, "--data", back, "restore", address); code != 0 || !strings.Contains(out, "Restored 4 events") {
		t.Fatalf("restore: exit code %d\n%s%s", code, out, stderr)
	}

	t.Run("refused", func(t *testing.T) {
		refused(1, "make it first", "archive", "s3://nothing/here")
		refused(1, "is s3://BUCKET/PREFIX", "archive", "s3:///here")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "another")
		refused(1, "AWS_SECRET_ACCESS_KEY have to be", "archive", address)
	})
	if err := os.WriteFile(filepath.Join(objects, "logs/hub/log/000000000003-000000000003.jsonl.zst"), []byte("rotten"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(4, "segment 000000000003-000000000003: its file is not what was written", "backup", "verify", address)
}
