package cmd

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/services/cmd/console"
)

// The hub runs behind the real HAProxy, with the configuration in deploy/.
func TestHAProxyInFront(t *testing.T) {
	const base = "https://hub.example.com:8443"
	certificates := filepath.Join(t.TempDir(), "tls")
	if _, stderr, code := runHubledger(t, "tls", "init", "--host", "hub.example.com", "--out", certificates); code != console.ExitOK {
		t.Fatalf("tls init: exit %d, %s", code, stderr)
	}
	authorities := x509.NewCertPool()
	if ca, err := os.ReadFile(filepath.Join(certificates, "ca.crt")); err != nil || !authorities.AppendCertsFromPEM(ca) {
		t.Fatalf("the authority's certificate: %v", err)
	}
	h := startHub(t, "--trusted-proxies", "loopback")
	addr := startHAProxy(t, certificates, h.Addr)
	// The test's own name server resolves every host to the proxy.
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: authorities},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
	}}
	defer client.CloseIdleConnections()
	ask := func(method, url string, want int, body io.Reader, header ...string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url, body)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		if resp.StatusCode != want {
			text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
			t.Fatalf("%s %s: %s, want %d\n%s", method, url, resp.Status, want, text)
		}
		return resp
	}

	// Clients are sent to the host that they used, and cannot choose another by headers.
	asks := regexp.MustCompile(`^Bearer realm="([^"]*)",service="([^"]*)"`)
	var challenge []string
	for _, header := range [][]string{nil, {"X-Forwarded-Host", "evil.example.com", "X-Forwarded-Proto", "http", "X-Forwarded-Port", "9", "Forwarded", "host=evil.example.com;proto=http"}} {
		says := ask("GET", base+"/v2/", http.StatusUnauthorized, nil, header...).Header.Get("WWW-Authenticate")
		if challenge = asks.FindStringSubmatch(says); challenge == nil || !strings.HasPrefix(challenge[1], base+"/") {
			t.Fatalf("the challenge is %q", says)
		}
	}
	login, err := http.NewRequest("GET", challenge[1]+"?"+url.Values{"service": {challenge[2]}, "scope": {"repository:admin/app:pull,push"}}.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	login.SetBasicAuth("admin", adminPassword)
	var answer struct{ Token string }
	if err := json.NewDecoder(ask("GET", login.URL.String(), http.StatusOK, nil, "Authorization", login.Header.Get("Authorization")).Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("no token: %v", err)
	}
	bearer := "Bearer " + answer.Token

	// A layer is uploaded in one piece to the Location that the hub names, and pulled.
	begun := ask("POST", base+"/v2/admin/app/blobs/uploads/", http.StatusAccepted, nil, "Authorization", bearer)
	to, err := begun.Location() // resolved against the request's URL, as clients do
	if err != nil || to.Scheme+"://"+to.Host != base {
		t.Fatalf("the upload goes to %v: %v", to, err)
	}
	layer := make([]byte, 20<<20)
	rand.Read(layer)
	sum := digest.FromBytes(layer)
	q := to.Query()
	q.Set("digest", sum.String())
	to.RawQuery = q.Encode()
	stored, err := ask("PUT", to.String(), http.StatusCreated, bytes.NewReader(layer), "Authorization", bearer, "Content-Type", "application/octet-stream").Location()
	if err != nil || stored.Scheme+"://"+stored.Host != base {
		t.Fatalf("the layer is at %v: %v", stored, err)
	}
	back, err := io.ReadAll(ask("GET", stored.String(), http.StatusOK, nil, "Authorization", bearer).Body)
	if err != nil || !bytes.Equal(back, layer) {
		t.Fatalf("%d bytes came back: %v", len(back), err)
	}
}

// startHAProxy runs HAProxy with deploy/haproxy.cfg, for a hub at another
// address, and returns HAProxy's address.
func startHAProxy(t *testing.T, certificates string, hub string) string {
	t.Helper()
	path := "/usr/sbin/haproxy" // not on everybody's PATH
	if _, err := os.Stat(path); err != nil {
		path = "haproxy"
	}
	haproxy := findTool(t, path, "apt install haproxy")
	read := func(path string) string {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	dir := t.TempDir()
	pem := writeFile(t, filepath.Join(dir, "hub.pem"), read(filepath.Join(certificates, "server.crt"))+read(filepath.Join(certificates, "server.key")))
	config := read(filepath.Join("..", "..", "deploy", "haproxy.cfg"))
	for from, to := range map[string]string{
		// The listener is opened before HAProxy starts, so that no client comes too early.
		"bind :443 ssl crt /etc/haproxy/hub.pem": "bind fd@3 ssl crt " + pem,
		"server hub 127.0.0.1:5050":              "server hub " + hub,
	} {
		if strings.Count(config, from) != 1 {
			t.Fatalf("deploy/haproxy.cfg has to have %q once", from)
		}
		config = strings.Replace(config, from, to, 1)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	var log logBuffer
	cmd := exec.Command(haproxy.path, "-db", "-f", writeFile(t, filepath.Join(dir, "haproxy.cfg"), config))
	cmd.ExtraFiles = []*os.File{socket}
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("log of HAProxy:\n%s", log.String())
		}
	})
	return listener.Addr().String()
}
