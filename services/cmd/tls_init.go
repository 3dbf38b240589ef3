package cmd

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

type tlsCmd struct {
	Init tlsInitCmd `cmd:"" help:"Make an own certificate authority and a server certificate, and say what to put where."`
}

type tlsInitCmd struct {
	Host  []string `help:"Name or address by which clients reach the hub; may be repeated. The first is the one in what is printed. Default: this machine's name, localhost, 127.0.0.1 and ::1." placeholder:"NAME_OR_IP"`
	Port  uint16   `help:"Port that clients connect to, for what is printed." default:"5050"`
	Out   string   `help:"Folder for the files; tls in the data directory by default." placeholder:"DIR"`
	Renew bool     `help:"Make a new server certificate of the authority that is there, for the hosts of the old one unless --host is given. A running hub takes it up by itself."`
}

// Validate is called by kong.
func (c *tlsInitCmd) Validate() error {
	for _, h := range c.Host {
		if err := checkCertificateHost(h); err != nil {
			return fmt.Errorf("--host: %w", err)
		}
	}
	if c.Port == 0 {
		return errors.New("--port is between 1 and 65535")
	}
	return nil
}

// tlsMade is the answer of tls init.
type tlsMade struct {
	Hosts  []string  `json:"hosts"`
	CA     string    `json:"ca"`    // path of the authority's certificate, for the clients
	CAKey  string    `json:"caKey"` // path of its key, only for --renew
	Cert   string    `json:"cert"`
	Key    string    `json:"key"`
	Until  time.Time `json:"notAfter"`
	Serve  string    `json:"serve"` // how to run the hub with it
	Client []tlsStep `json:"clients"`
}

func (c *tlsInitCmd) Run(s *session) error {
	dir := c.Out
	if dir == "" {
		dir = filepath.Join(s.data, "tls")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	var hosts []string
	for _, h := range c.Host {
		hosts = append(hosts, certificateHost(h))
	}
	if len(hosts) == 0 && !c.Renew {
		hosts = thisMachine()
	}
	var leaf *x509.Certificate
	files := tlsFilesIn(dir)
	if c.Renew {
		leaf, err = files.renew(hosts, time.Now())
	} else {
		leaf, err = files.create(hosts, time.Now())
	}
	if err != nil {
		return err
	}
	made := tlsMade{Hosts: certificateHosts(leaf), CA: files.ca, CAKey: files.caKey, Cert: files.cert, Key: files.key, Until: leaf.NotAfter}
	made.Serve = serveLine(s.data, c.Port, files)
	made.Client = tlsSteps(reference(made.Hosts[0], c.Port))
	if s.json {
		return s.print(made)
	}
	return made.explain(s.out, c.Renew)
}

// thisMachine is the hosts of a certificate that nobody gave hosts for.
func thisMachine() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil && name != "localhost" && checkCertificateHost(name) == nil {
		hosts = append([]string{certificateHost(name)}, hosts...)
	}
	return hosts
}

// tlsFiles is where tls init keeps what it makes.
type tlsFiles struct{ dir, ca, caKey, cert, key string }

func tlsFilesIn(dir string) tlsFiles {
	in := func(name string) string { return filepath.Join(dir, name) }
	return tlsFiles{dir: dir, ca: in("ca.crt"), caKey: in("ca.key"), cert: in("server.crt"), key: in("server.key")}
}

// create makes an authority and a server certificate where there is neither.
func (f tlsFiles) create(hosts []string, now time.Time) (*x509.Certificate, error) {
	for _, path := range []string{f.ca, f.caKey, f.cert, f.key} {
		if _, err := os.Lstat(path); err == nil {
			return nil, fmt.Errorf("%s is there already: take another folder with --out, or make a new server certificate with --renew", path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	ca, err := newAuthority(hosts[0], now)
	if err != nil {
		return nil, err
	}
	leaf, err := ca.issue(hosts, now)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for the certificates: %w", err)
	}
	if err := errors.Join(ca.write(f.ca, f.caKey), leaf.write(f.cert, f.key)); err != nil {
		for _, path := range []string{f.ca, f.caKey, f.cert, f.key} {
			os.Remove(path) // what is there would be in the way of the next try
		}
		return nil, err
	}
	return leaf.cert, nil
}

// renew makes a new server certificate of the authority that is there.
func (f tlsFiles) renew(hosts []string, now time.Time) (*x509.Certificate, error) {
	ca, err := readPair(f.ca, f.caKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no authority to renew from: %w; make one without --renew", err)
	}
	if err != nil {
		return nil, err
	}
	if len(hosts) == 0 {
		old, err := readPair(f.cert, f.key)
		if err != nil {
			return nil, fmt.Errorf("read the hosts of the old certificate: %w; or name them with --host", err)
		}
		hosts = certificateHosts(old.cert)
	}
	leaf, err := ca.issue(hosts, now)
	if err != nil {
		return nil, err
	}
	return leaf.cert, leaf.write(f.cert, f.key)
}
