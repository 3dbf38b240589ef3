package dockerd_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hubledger/services/builder/driver"
	"hubledger/services/internal/egress"
)

// serveOutside serves on an address of this machine that is not loopback.
func serveOutside(t *testing.T, f http.HandlerFunc) *httptest.Server {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		ip, _, err := net.ParseCIDR(a.String())
		if err != nil || ip.IsLoopback() || ip.To4() == nil {
			continue
		}
		l, err := net.Listen("tcp4", net.JoinHostPort(ip.String(), "0"))
		if err != nil {
			continue
		}
		s := httptest.NewUnstartedServer(f)
		s.Listener.Close()
		s.Listener = l
		s.Start()
		t.Cleanup(s.Close)
		return s
	}
	t.Skip("this machine has no address but those of loopback")
	return nil
}

// Hooks, the steps of what they build and the containers that they start have the network
// that the rule asks for, through the proxy, and no other way out; without that they have
// none.
func TestNetwork(t *testing.T) {
	files := serveOutside(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "a file of the network") })
	other := serveOutside(t, func(http.ResponseWriter, *http.Request) { t.Error("this machine was reached") })
	w := newWorld(t)
	guard, err := egress.NewGuard([]string{strings.TrimPrefix(files.URL, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	w.dir, w.config.Egress = w.dir+"-network", guard
	w.open()
	hook := "#!/bin/bash\ncurl -sS -m 10 " + files.URL + "/hook | sed 's/^/in the hook: /'\necho\n" +
		"curl -s -m 10 -o /dev/null -w 'refused: %{http_code}\\n' " + other.URL + "/\n" +
		"curl -s -m 5 --noproxy '*' -o /dev/null " + files.URL + "/ && echo past the proxy\n" +
		"docker build -t $IMAGE_NAME . || exit\ndocker run --rm $IMAGE_NAME /tool get " + files.URL + "/container\n"
	spec := func(network bool) driver.Spec {
		s := w.spec("Dockerfile", fromBase+"RUN get "+files.URL+"/step\n", "hooks/build", hook)
		s.Network = network
		return s
	}
	got := w.run(spec(true)).succeeds(t)
	if strings.Count(got.log, "200 OK a file of the network") != 2 || !strings.Contains(got.log, "in the hook: a file of the network") || !strings.Contains(got.log, "refused: 403") || strings.Contains(got.log, "past the proxy") {
		t.Errorf("with a network:\n%s", got.log)
	}
	if got := w.run(spec(false)); got.err == nil || strings.Contains(got.log, "a file of the network") {
		t.Errorf("without one: %v\n%s", got.err, got.log)
	}
}
