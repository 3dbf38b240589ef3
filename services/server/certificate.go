package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// TLSConfig serves the certificate that lies in two PEM files, and what
// replaces it there later on: --tls-cert (the certificate, then those that
// lead to its authority) and --tls-key. Files that cannot be served are an
// error here; later they are logged, and the certificate stays that was good.
func TLSConfig(cert, key string, logger *slog.Logger) (*tls.Config, error) {
	c := &certificateFiles{cert: cert, key: key, logger: logger}
	if err := c.load(); err != nil {
		return nil, err
	}
	c.looked = time.Now()
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}, nil
}

// certificateFiles is a certificate that follows its files.
type certificateFiles struct {
	cert, key string // paths
	logger    *slog.Logger
	serving   atomic.Pointer[tls.Certificate]

	mu     sync.Mutex // the one who looks at the files
	looked time.Time
	seen   [2]os.FileInfo // of certificate and key when they were last read
}

// current is asked at each handshake. It looks at the files at most once a
// second; handshakes meanwhile do not wait.
func (c *certificateFiles) current() *tls.Certificate {
	if c.mu.TryLock() {
		defer c.mu.Unlock()
		if now := time.Now(); now.Sub(c.looked) >= time.Second {
			c.looked = now
			c.reload()
		}
	}
	return c.serving.Load()
}

// reload reads files that have changed. Each state of them is tried once: of
// two files that are replaced one after the other, the first change may fail.
func (c *certificateFiles) reload() {
	now, err := c.stat()
	if err == nil && sameFile(now[0], c.seen[0]) && sameFile(now[1], c.seen[1]) {
		return
	}
	if err != nil {
		if c.seen != [2]os.FileInfo{} {
			c.logger.Error("the TLS certificate's files are gone; the old one is served on", "error", err)
			c.seen = [2]os.FileInfo{}
		}
		return
	}
	if err := c.load(); err != nil {
		c.logger.Error("the new TLS certificate cannot be used; the old one is served on", "error", err)
		return
	}
	c.logger.Info("serving a new TLS certificate", "file", c.cert, "until", c.serving.Load().Leaf.NotAfter)
}

// load looks at the files before it reads them: one that changes in between
// is read again.
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
		c.logger.Warn("the TLS certificate is past its time; clients will refuse it", "file", c.cert, "until", pair.Leaf.NotAfter)
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

// sameFile says whether a file is the one seen before, with the same content
// as far as its times tell.
func sameFile(a, b os.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
