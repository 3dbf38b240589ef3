package certificates

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/services/server/listen"
)

// newFiles makes an authority and a server certificate in a folder of the test.
func newFiles(t testing.TB, hosts ...string) fileSet {
	t.Helper()
	files := filesIn(filepath.Join(t.TempDir(), "tls"))
	if _, err := files.create(hosts, time.Now()); err != nil {
		t.Fatal(err)
	}
	return files
}

func trusting(t testing.TB, ca string) *x509.CertPool {
	t.Helper()
	raw, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		t.Fatalf("%s holds no certificate", ca)
	}
	return pool
}

func TestServesTheCertificateOfTLSInit(t *testing.T) {
	files := newFiles(t, "hub.example.com", "192.0.2.7", "::1")
	config, err := listen.TLSConfig(files.cert, files.key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	web.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	listener := tls.NewListener(web.Listener, config)
	web.Listener = listener
	web.Start()
	defer web.Close()

	get := func(host string, max uint16) error {
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: trusting(t, files.ca), ServerName: host, MaxVersion: max},
			DialContext:     (&net.Dialer{}).DialContext,
		}}
		defer client.CloseIdleConnections()
		resp, err := client.Get("https://" + listener.Addr().String())
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	for _, host := range []string{"hub.example.com", "192.0.2.7", "::1"} {
		if err := get(host, 0); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := get("other.example.com", 0); err == nil || !strings.Contains(err.Error(), "valid for") {
		t.Errorf("a name that is not in the certificate: %v", err)
	}
	if err := get("hub.example.com", tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is served")
	}
	if _, err := http.Get("https://" + listener.Addr().String()); err == nil {
		t.Error("a client that does not know the authority is satisfied")
	}
}

// served is the certificate of a handshake with config.
func served(t testing.TB, config *tls.Config) *x509.Certificate {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		defer far.Close()
		server := tls.Server(far, config)
		server.Handshake()
		io.Copy(io.Discard, server)
	}()
	// Only which certificate is served matters here; verification is tested above.
	client := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	return client.ConnectionState().PeerCertificates[0]
}

func TestReplacedCertificateIsServed(t *testing.T) {
	files := newFiles(t, "hub.example.com")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		config, err := listen.TLSConfig(files.cert, files.key, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		first := served(t, config)
		second, err := files.renew(nil, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if second.SerialNumber.Cmp(first.SerialNumber) == 0 || certificateHosts(second)[0] != "hub.example.com" {
			t.Fatalf("renewed as %v of %v", certificateHosts(second), first.SerialNumber)
		}
		is := func(when string, want *x509.Certificate) {
			t.Helper()
			time.Sleep(time.Second) // the test's fake time: now the files are checked again
			if got := served(t, config); !got.Equal(want) {
				t.Fatalf("%s: certificate %v, want %v", when, got.SerialNumber, want.SerialNumber)
			}
		}
		if got := served(t, config); !got.Equal(first) {
			t.Fatal("the files are looked at again within a second")
		}
		is("replaced", second)

		good, err := os.ReadFile(files.cert)
		if err != nil {
			t.Fatal(err)
		}
		for _, half := range [][]byte{good[:len(good)/2], {}, []byte("nonsense")} {
			if err := os.WriteFile(files.cert, half, 0o600); err != nil {
				t.Fatal(err)
			}
			is("half written", second)
		}
		is("still half written", second)
		if got := strings.Count(log.String(), "cannot be used"); got != 3 {
			t.Errorf("%d complaints of 3 broken files:\n%s", got, log.String())
		}
		if err := os.Remove(files.cert); err != nil {
			t.Fatal(err)
		}
		is("removed", second)
		is("still removed", second)
		if got := strings.Count(log.String(), "cannot be found"); got != 1 {
			t.Errorf("%d complaints of one lost file:\n%s", got, log.String())
		}
		third, err := files.renew([]string{"new.example.com"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		is("whole again", third)

		// The key is replaced first, as renew does: until both are replaced, the old pair is served.
		other := filesIn(filepath.Join(t.TempDir(), "other"))
		if _, err := other.create([]string{"hub.example.com"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(other.key, files.key); err != nil {
			t.Fatal(err)
		}
		is("the key alone", third)
		if err := os.Rename(other.cert, files.cert); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := served(t, config); got.Equal(third) {
			t.Error("certificate and key are both new, and the old ones are served")
		}
	})
}

func TestBrokenCertificateIsRefusedAtTheStart(t *testing.T) {
	files := newFiles(t, "localhost")
	other := newFiles(t, "localhost")
	for _, c := range [][2]string{{"nowhere", files.key}, {files.cert, "nowhere"}, {files.cert, other.key}, {files.key, files.cert}} {
		if _, err := listen.TLSConfig(c[0], c[1], slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "TLS certificate") {
			t.Errorf("%q: %v", c, err)
		}
	}
}
