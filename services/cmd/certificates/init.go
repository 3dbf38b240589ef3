// Package certificates has the command that creates certificates for a hub on a
// network without a public authority.
package certificates

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"hubledger/services/cmd/console"
)

// Commands are the commands on certificates.
type Commands struct {
	Init initCmd `cmd:"" help:"Create your own certificate authority and a server certificate, and print what to install on other machines."`
}

type initCmd struct {
	Host  []string `help:"Name or address by which clients reach the hub; may be repeated. The printed instructions use the first one. Default: this machine's name, localhost, 127.0.0.1 and ::1." placeholder:"NAME_OR_IP"`
	Port  uint16   `help:"Port that clients connect to, for the printed instructions." default:"5050"`
	Out   string   `help:"Folder for the files; default: tls in the data directory." placeholder:"DIR"`
	Renew bool     `help:"Issue a new server certificate from the existing authority, for the hosts of the old certificate unless --host is given. A running hub starts serving it by itself."`
}

// Validate is called by kong.
func (c *initCmd) Validate() error {
	for _, h := range c.Host {
		if err := checkCertificateHost(h); err != nil {
			return fmt.Errorf("--host: %w", err)
		}
	}
	if c.Port == 0 {
		return errors.New("--port must be between 1 and 65535")
	}
	return nil
}

// result is the JSON output of tls init.
type result struct {
	Hosts  []string     `json:"hosts"`
	CA     string       `json:"ca"`    // path of the authority's certificate, for the clients
	CAKey  string       `json:"caKey"` // path of its key, which only --renew needs
	Cert   string       `json:"cert"`
	Key    string       `json:"key"`
	Until  time.Time    `json:"notAfter"`
	Serve  string       `json:"serve"` // how to run the hub with it
	Client []clientStep `json:"clients"`
}

func (c *initCmd) Run(s *console.Session) error {
	dir := c.Out
	if dir == "" {
		dir = filepath.Join(s.Data, "tls")
		defer s.OwnFiles("registry")()
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
	files := filesIn(dir)
	if c.Renew {
		leaf, err = files.renew(hosts, time.Now())
	} else {
		leaf, err = files.create(hosts, time.Now())
	}
	if err != nil {
		return err
	}
	made := result{Hosts: certificateHosts(leaf), CA: files.ca, CAKey: files.caKey, Cert: files.cert, Key: files.key, Until: leaf.NotAfter}
	made.Serve = serveLine(s, c.Port, files)
	made.Client = clientSteps(reference(made.Hosts[0], c.Port))
	if s.JSON {
		return s.Print(made)
	}
	return made.explain(s.Out, c.Renew)
}

// thisMachine is the hosts of a certificate when no --host is given.
func thisMachine() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil && name != "localhost" && checkCertificateHost(name) == nil {
		hosts = append([]string{certificateHost(name)}, hosts...)
	}
	return hosts
}

// fileSet has the paths of the files that tls init writes.
type fileSet struct{ dir, ca, caKey, cert, key string }

func filesIn(dir string) fileSet {
	in := func(name string) string { return filepath.Join(dir, name) }
	return fileSet{dir: dir, ca: in("ca.crt"), caKey: in("ca.key"), cert: in("server.crt"), key: in("server.key")}
}

// create creates an authority and a server certificate. It overwrites nothing.
func (f fileSet) create(hosts []string, now time.Time) (*x509.Certificate, error) {
	for _, path := range []string{f.ca, f.caKey, f.cert, f.key} {
		if _, err := os.Lstat(path); err == nil {
			return nil, fmt.Errorf("%s exists already: choose another folder with --out, or issue a new server certificate with --renew", path)
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
		return nil, fmt.Errorf("create the folder for the certificates: %w", err)
	}
	if err := errors.Join(ca.write(f.ca, f.caKey), leaf.write(f.cert, f.key)); err != nil {
		for _, path := range []string{f.ca, f.caKey, f.cert, f.key} {
			os.Remove(path) // a file that is left would make the next attempt fail
		}
		return nil, err
	}
	return leaf.cert, nil
}

// renew issues a new server certificate from the existing authority.
func (f fileSet) renew(hosts []string, now time.Time) (*x509.Certificate, error) {
	ca, err := readPair(f.ca, f.caKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no authority to renew from: %w; create one by running tls init without --renew", err)
	}
	if err != nil {
		return nil, err
	}
	if len(hosts) == 0 {
		old, err := readPair(f.cert, f.key)
		if err != nil {
			return nil, fmt.Errorf("read the hosts of the old certificate: %w; name the hosts with --host instead", err)
		}
		hosts = certificateHosts(old.cert)
	}
	leaf, err := ca.issue(hosts, now)
	if err != nil {
		return nil, err
	}
	return leaf.cert, leaf.write(f.cert, f.key)
}

// Files are the certificate and the key that tls init makes in a data directory, if it
// is told nothing else.
func Files(data string) (cert, key string) {
	f := filesIn(filepath.Join(data, "tls"))
	return f.cert, f.key
}
