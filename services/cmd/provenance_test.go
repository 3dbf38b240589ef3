package cmd

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hubledger/services/registry/registrytest"
)

// What was built has a signed statement of where it comes from beside it, with the
// commit and the base image, and cosign verifies it with the key that the hub publishes,
// but not with another one.
func TestProvenance(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("builds four images: set HUBLEDGER_SOAK=1")
	}
	h := startGitHub(t)
	c := registrytest.NewClient(h.URL)
	c.User, c.Password = "admin", adminPassword
	defer c.Close()
	h.commit(map[string]string{"Dockerfile": "FROM scratch\nCOPY hello /hello\n", "hello": "hi"}, "v5.0")
	base := h.ended(2)["release"].Digest
	commit := h.commit(map[string]string{"Dockerfile": "FROM " + h.Addr + "/admin/app:5.0\nCOPY hello /hello2\n"}, "v5.1")
	b := h.ended(4)["release"]
	if b.Outcome != "succeeded" || b.Provenance == "" {
		t.Fatalf("built was %+v\n%s", b, h.run("builds", "logs", "admin/app"))
	}
	if shown := h.run("builds", "show", "admin/app", b.Short()); !strings.Contains(shown, "admin/app:5.0@"+base) || !strings.Contains(shown, b.Provenance) {
		t.Errorf("the build is shown as\n%s", shown)
	}
	type referrer struct{ Digest string }
	var list struct{ Manifests []referrer }
	if err := json.Unmarshal(c.Must(t, "GET", "/v2/admin/app/referrers/"+b.Digest, nil).Want(t, 200).Body, &list); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(list.Manifests, func(r referrer) bool { return r.Digest == b.Provenance }) {
		t.Errorf("the image has the referrers %+v, not %s", list, b.Provenance)
	}
	resp, err := http.Get(h.URL + "/.well-known/hubledger/provenance.pub")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	pem := h.run("builds", "key")
	if !strings.HasPrefix(pem, "-----BEGIN PUBLIC KEY-----\n") || resp.StatusCode != http.StatusOK || resp.ContentLength != int64(len(pem)) {
		t.Errorf("the key is %s, and answered with %s", pem, resp.Status)
	}
	dir := t.TempDir()
	key, wrong := filepath.Join(dir, "key.pub"), filepath.Join(dir, "wrong.pub")
	for path, text := range map[string]string{key: pem, wrong: "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cosign := findTool(t, "cosign", "task clients")
	cosign.env = append(credentialsOf(t, h.hubProcess, "admin", adminPassword), "HOME="+dir)
	image := h.Addr + "/admin/app@" + b.Digest
	arguments := func(key string) []string {
		return []string{"verify-attestation", "--type", "slsaprovenance1", "--key", key, "--insecure-ignore-tlog", "--allow-http-registry", image}
	}
	line, _, _ := strings.Cut(cosign.run(t, arguments(key)...), "\n")
	var envelope struct{ Payload []byte }
	if err := json.Unmarshal([]byte(line), &envelope); err != nil {
		t.Fatalf("cosign prints %s: %v", line, err)
	}
	for _, want := range []string{`"gitCommit":"` + commit, strings.TrimPrefix(base, "sha256:"), `"id":"` + h.URL + `/builders/local"`, `"builder"`} {
		if !strings.Contains(string(envelope.Payload), want) {
			t.Errorf("the statement has no %s: %s", want, envelope.Payload)
		}
	}
	cosign.refused(t, "signature", arguments(wrong)...)
}
