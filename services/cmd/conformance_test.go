package cmd

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The OCI's conformance program for distribution-spec 1.1, with all optional parts
// switched on.
func TestConformance(t *testing.T) {
	everything := []string{
		"OCI_API_BLOBS_DIGEST_HEADER=true", "OCI_API_BLOBS_UPLOAD_CANCEL=true", "OCI_API_BLOBS_ATOMIC=true",
		"OCI_API_MANIFESTS_ATOMIC=true", "OCI_API_MANIFESTS_DIGEST_HEADER=true", "OCI_API_MANIFESTS_TAG_PARAM=true", "OCI_API_TAGS_ATOMIC=true"}
	t.Run("everything", func(t *testing.T) {
		conform(t, startHub(t), everything...)
	})
	t.Run("everything on PostgreSQL", func(t *testing.T) {
		conform(t, startHub(t, "--postgres-url", postgres.URL(t)), everything...)
	})
}

// conform runs the program, which exits with 1 when anything fails.
func conform(t *testing.T, h *hubProcess, settings ...string) {
	t.Helper()
	c := findTool(t, "conformance", "task clients")
	organizations(t, h, "conformance")
	cmd := exec.Command(c.path)
	cmd.Dir = t.TempDir()
	cmd.Env = append(append(os.Environ(), settings...), "OCI_VERSION=1.1", "OCI_REGISTRY="+h.Addr, "OCI_TLS=disabled",
		"OCI_USERNAME=admin", "OCI_PASSWORD="+adminPassword,
		"OCI_REPO1=conformance/repo1", "OCI_REPO2=conformance/repo2", "OCI_RESULTS_DIR="+cmd.Dir)
	out, err := cmd.CombinedOutput()
	passed, other := 0, ""
	for line := range strings.Lines(string(out)) {
		if strings.HasSuffix(line, ": Pass\n") {
			passed++
		} else {
			other += line
		}
	}
	t.Logf("%d passed; besides these:\n%s", passed, other)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(other, ": Skip\n") {
		t.Fatal("some checks were skipped")
	}
	if passed < 500 {
		t.Fatalf("only %d checks ran", passed)
	}
}
