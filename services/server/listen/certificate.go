package listen

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// TLSConfig serves the certificate in two PEM files, and reloads it when they
// change. cert (--tls-cert) has the server's certificate, then the intermediate
// ones; key (--tls-key) has its key. It fails when the files cannot be used.
// When they cannot be used later, that is logged and the old certificate stays.
func TLSConfig(cert, key string, logger *slog.Logger) (*tls.Config, error) {
	c := &certificateFiles{cert: cert, key: key, logger: logger}
	if err := c.load(); err != nil {
		return nil, err
	}
	c.checked = time.Now()
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}, nil
}

// certificateFiles is a certificate that is reloaded when its files change.
type certificateFiles struct {
	cert, key string // paths
	logger    *slog.Logger
	serving   atomic.Pointer[tls.Certificate]

	mu      sync.Mutex // held by the handshake that checks the files
	checked time.Time
	seen    [2]os.FileInfo // of certificate and key when they were last read
}

// current is called at each handshake. It checks the files at most once a
// second; other handshakes meanwhile do not wait.
func (c *certificateFiles) current() *tls.Certificate {
	if c.mu.TryLock() {
		defer c.mu.Unlock()
		if now := time.Now(); now.Sub(c.checked) >= time.Second {
			c.checked = now
			c.reload()
		}
	}
	return c.serving.Load()
}

// reload reads the files if they have changed. It tries each state of the files
// once: while two files are replaced one after the other, the first try may fail.
func (c *certificateFiles) reload() {
	now, err := c.stat()
	if err == nil && sameFile(now[0], c.seen[0]) && sameFile(now[1], c.seen[1]) {
		return
	}
	if err != nil {
		if c.seen != [2]os.FileInfo{} {
			c.logger.Error("the files of the TLS certificate cannot be found; the old certificate stays in use", "error", err)
			c.seen = [2]os.FileInfo{}
		}
		return
	}
	if err := c.load(); err != nil {
		c.logger.Error("the new TLS certificate cannot be used; the old one stays in use", "error", err)
		return
	}
	c.logger.Info("serving a new TLS certificate", "file", c.cert, "until", c.serving.Load().Leaf.NotAfter)
}

// load notes the state of the files before it reads them, so that a change in
// between is read the next time.
func (c *certificateFiles) load() error {
	var err error
	if c.seen, err = c.stat(); err != nil {
		return fmt.Errorf("TLS certificate: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("TLS certificate %s with key %s: %w", c.cert, c.key, err)
	}
	if time.Now().After(pair.Leaf.NotAfter) {
		c.logger.Warn("the TLS certificate has expired; clients will refuse it", "file", c.cert, "until", pair.Leaf.NotAfter)
	}
	c.serving.Store(&pair)
	return nil
}

func (c *certificateFiles) stat() (infos [2]os.FileInfo, err error) {
	for i, path := range []string{c.cert, c.key} {
		if infos[i], err = os.Stat(path); err != nil {
			return [2]os.FileInfo{}, err
		}
	}
	return infos, nil
}

// sameFile says whether a file is the one seen before and unchanged, as far as
// its size and time tell.
func sameFile(a, b os.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
