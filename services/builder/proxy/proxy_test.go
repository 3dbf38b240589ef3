package proxy

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"hubledger/services/internal/egress"
)

// HTTP and HTTPS go through, to what the guard allows and nothing else.
func TestProxy(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "answer of "+r.Host)
	})
	plain, secure, inner := httptest.NewServer(answer), httptest.NewTLSServer(answer), httptest.NewServer(answer)
	for _, s := range []*httptest.Server{plain, secure, inner} {
		defer s.Close()
	}
	host := func(s *httptest.Server) string { _, h, _ := strings.Cut(s.URL, "://"); return h }
	guard, err := egress.NewGuard([]string{host(plain), host(secure)})
	if err != nil {
		t.Fatal(err)
	}
	p := New(guard, slog.New(slog.DiscardHandler))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go p.Serve(l)
	defer p.Close()
	transport := secure.Client().Transport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: l.Addr().String()})
	client := &http.Client{Transport: transport}
	for _, s := range []*httptest.Server{plain, secure} {
		for range 2 {
			resp, err := client.Post(s.URL, "text/plain", strings.NewReader(strings.Repeat("x", 1<<20)))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || string(body) != "answer of "+host(s) {
				t.Errorf("%s: %q, %v", s.URL, body, err)
			}
		}
	}
	resp, err := client.Get(inner.URL)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden || !strings.Contains(string(body), "not a public address") {
		t.Errorf("%s: %s", resp.Status, body)
	}
	if _, err := client.Get("https://" + host(inner)); err == nil || !strings.Contains(err.Error(), "Forbidden") {
		t.Error(err)
	}
	direct, err := http.Get("http://" + l.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	direct.Body.Close()
	if direct.StatusCode != http.StatusBadRequest {
		t.Error(direct.Status)
	}
}
