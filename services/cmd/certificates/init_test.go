package certificates

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/services/cmd/console"
)

func TestTLSInitMakesWhatClientsAccept(t *testing.T) {
	now := time.Now()
	files := newFiles(t, "Hub.Example.com", "192.0.2.7")
	ca, err := readPair(files.ca, files.caKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := readPair(files.cert, files.key)
	if err != nil {
		t.Fatal(err)
	}
	for years, ok := range map[int]bool{9: true, 11: false} {
		if got := ca.cert.NotAfter.After(now.AddDate(years, 0, 0)); got != ok {
			t.Errorf("the authority holds for %d years: %v (until %s)", years, got, ca.cert.NotAfter)
		}
	}
	if term := leaf.cert.NotAfter.Sub(leaf.cert.NotBefore); term > 825*24*time.Hour || term < 800*24*time.Hour {
		t.Errorf("the server certificate holds for %s", term)
	}
	if leaf.cert.NotBefore.After(now) {
		t.Errorf("a clock that is a little slow refuses it: not before %s", leaf.cert.NotBefore)
	}
	for _, key := range []string{files.caKey, files.key} {
		if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", key, info.Mode(), err)
		}
	}
	options := x509.VerifyOptions{Roots: trusting(t, files.ca), DNSName: "hub.example.com", KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if _, err := leaf.cert.Verify(options); err != nil {
		t.Error(err)
	}
	options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, err := leaf.cert.Verify(options); err == nil {
		t.Error("the server certificate passes for a client's")
	}
	if _, err := leaf.issue([]string{"evil"}, now); err == nil {
		t.Error("the server certificate may issue others")
	}
	late, err := ca.issue([]string{"hub"}, ca.cert.NotAfter.Add(-time.Hour))
	if err != nil || late.cert.NotAfter.After(ca.cert.NotAfter) {
		t.Errorf("a certificate that outlives its authority: %v", err)
	}
	if _, err := ca.issue([]string{"hub"}, ca.cert.NotAfter.Add(time.Hour)); err == nil {
		t.Error("an authority that is past its time issues certificates")
	}
}

func TestTLSInitLeavesNothingHalfDone(t *testing.T) {
	files := filesIn(filepath.Join(t.TempDir(), "tls"))
	// The last file that create writes cannot be replaced.
	if err := os.MkdirAll(filepath.Join(files.dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files.cert, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := files.create([]string{"hub"}, time.Now()); err == nil || !strings.Contains(err.Error(), "--renew") {
		t.Fatalf("overwrites a file: %v", err)
	}
	if raw, err := os.ReadFile(files.cert); err != nil || string(raw) != "mine" {
		t.Fatalf("%q, %v", raw, err)
	}
	if entries, err := os.ReadDir(files.dir); err != nil || len(entries) != 1 {
		t.Fatalf("left %v, %v", entries, err)
	}
	if _, err := files.renew([]string{"hub"}, time.Now()); err == nil || !strings.Contains(err.Error(), "no authority") {
		t.Fatalf("renews without an authority: %v", err)
	}
}

func TestCertificateHosts(t *testing.T) {
	for host, want := range map[string]bool{
		"hub": true, "hub.example.com": true, "192.0.2.1": true, "::1": true, "2001:DB8::1": true, "a-b.c": true, strings.Repeat("a", 63) + ".example.com": true,
		"": false, "hub:5050": false, "https://hub": false, "*.example.com": false, "a b": false, "a\nb": false, "hub.": false, "-a": false,
		"[::1]": false, "[::1]:80": false, strings.Repeat("a", 64): false, strings.Repeat("a.", 127) + "aa": false,
	} {
		if err := checkCertificateHost(host); (err == nil) != want {
			t.Errorf("%q: %v", host, err)
		}
	}
	long := strings.Repeat("a", 63) + ".example.com"
	for _, hosts := range [][]string{{"192.0.2.7", "hub", "::1"}, {"hub", "192.0.2.7"}, {long, "192.0.2.7"}} {
		files := filesIn(filepath.Join(t.TempDir(), "tls"))
		leaf, err := files.create(hosts, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if got := certificateHosts(leaf); !slices.Equal(got, hosts) {
			t.Errorf("%q comes back as %q", hosts, got)
		}
	}
}

func TestTLSInitSaysWhatToDo(t *testing.T) {
	data := filepath.Join(t.TempDir(), "the hub's data")
	var out bytes.Buffer
	s := &console.Session{Context: t.Context(), Data: data, Out: &out, Err: &out}
	c := &initCmd{Host: []string{"Hub.Example.com", "0:0::1"}, Port: 5050}
	if err := c.Run(s); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"/etc/docker/certs.d/hub.example.com:5050/ca.crt", "/etc/containerd/certs.d/hub.example.com:5050/hosts.toml",
		"[host.\"https://hub.example.com:5050\"]", "/etc/containers/certs.d/hub.example.com:5050/ca.crt", "imagePullSecrets", "update-ca-certificates",
		"serve --listen 0.0.0.0:5050 --tls-cert '" + data[:strings.Index(data, "'")]} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("tls init: no %q in\n%s", part, out.String())
		}
	}
	out.Reset()
	s.JSON = true
	if err := (&initCmd{Renew: true, Port: 443}).Run(s); err != nil {
		t.Fatal(err)
	}
	var made result
	if err := json.Unmarshal(out.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(made.Hosts, []string{"hub.example.com", "::1"}) || made.Client[0].CA != "/etc/docker/certs.d/hub.example.com/ca.crt" {
		t.Errorf("renewed %+v", made)
	}
	if err := c.Run(s); err == nil {
		t.Error("an authority is overwritten")
	}
}
