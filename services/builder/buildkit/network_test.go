package buildkit_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/services/builder/caged"
	"hubledger/services/builder/driver"
	"hubledger/services/internal/egress"
)

// serveOutside serves at an address of this machine that is not one of loopback.
func serveOutside(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || p.Addr().IsLoopback() || !p.Addr().Is4() {
			continue
		}
		l, err := net.Listen("tcp", netip.AddrPortFrom(p.Addr(), 0).String())
		if err != nil {
			t.Fatal(err)
		}
		s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
		s.Start()
		t.Cleanup(s.Close)
		return s
	}
	missing(t, "this machine has no address but those of loopback")
	return nil
}

// A build with a network reaches what the guard lets through by HTTP, and neither
// this machine, nor the relay to the hub, nor anything by other protocols.
func TestNetwork(t *testing.T) {
	files := serveOutside(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "a file of the network") })
	outside := serveOutside(t, func(http.ResponseWriter, *http.Request) { t.Error("this machine was reached") })
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("this machine was reached") }))
	defer inner.Close()
	port := func(s *httptest.Server) string {
		_, p, _ := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
		return p
	}
	w := newWorld(t, func(c *caged.Config) {
		var err error
		if c.Egress, err = egress.NewGuard([]string{strings.TrimPrefix(files.URL, "http://")}); err != nil {
			t.Fatal(err)
		}
	})
	run := func(command string) told {
		t.Helper()
		s := w.spec(fromBase + "RUN " + command + "\n")
		s.Network = true
		return w.run(s)
	}
	if got := run("get " + files.URL + "/x").succeeds(t); !strings.Contains(got.log, "200 OK a file of the network") {
		t.Errorf("%s", got)
	}
	s := w.spec("FROM scratch\nADD " + files.URL + "/x /x\n")
	s.Network, s.Image = true, w.name+"/admin/app"
	if got := w.run(s).succeeds(t); !strings.Contains(w.content("admin/app", got.result.Digest), "a file of the network") {
		t.Errorf("%s", got)
	}
	for command, want := range map[string]string{
		"get " + outside.URL + "/x":                   "403 Forbidden",
		"get http://10.1.2.3/x":                       "403 Forbidden",
		"get http://169.254.169.254/latest/meta-data": "403 Forbidden",
		// BuildKit asks loopback addresses itself, from inside the cage: there are the
		// relay, which knows it by a password, and the proxy.
		"via " + inner.URL: "502 Bad Gateway",
		"via " + w.hub.URL + "/v2/admin/base/manifests/1": "401 Unauthorized",
		"via http://127.0.0.1:3128/":                      "400 Bad Request",
	} {
		if got := run(command).succeeds(t); !strings.Contains(got.log, want) {
			t.Errorf("%s: %s", command, got)
		}
	}
	for _, command := range []string{"dial 127.0.0.1:" + port(inner), "dial " + w.name, "dial 127.0.0.1:3128", "dial 93.184.216.34:80", "get " + inner.URL, "get " + w.hub.URL} {
		run(command).fails(t, driver.StepFailed, "exit code: 3")
	}
	w.config.Dir, w.config.Egress = filepath.Join(t.TempDir(), "none"), nil
	w.dir, w.driver = w.config.Dir, w.open()
	if _, err := w.driver.Prepare(t.Context(), s); !errors.Is(err, driver.ErrNetwork) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, s.ID)); err == nil {
		t.Error("a build that is refused leaves a directory")
	}
}
