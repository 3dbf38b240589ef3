package certificates

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"

	"hubledger/services/internal/durable"
)

const (
	authorityTerm = 10 * 365 * 24 * time.Hour
	// Apple's clients refuse server certificates that are valid for longer:
	// https://support.apple.com/en-us/103769
	serverTerm = 825 * 24 * time.Hour
	// Certificates are valid from an hour ago, for clients whose clock is slow.
	backdate = time.Hour
)

// A pair is a certificate with its key.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newAuthority creates a self-signed certificate authority, named after host.
func newAuthority(host string, now time.Time) (*pair, error) {
	return certify(&x509.Certificate{
		// The time tells two authorities of one host apart.
		Subject:               pkix.Name{Organization: []string{"Hubledger"}, CommonName: "Hubledger CA " + host + " " + now.UTC().Format("20060102T150405Z")},
		NotAfter:              now.Add(authorityTerm - backdate),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil, now)
}

// issue makes a server certificate for hosts, each as certificateHost writes it. It ends no later than its authority.
func (p *pair) issue(hosts []string, now time.Time) (*pair, error) {
	if !p.cert.IsCA || now.After(p.cert.NotAfter) {
		return nil, fmt.Errorf("%s cannot issue certificates: it is not a certificate authority, or has expired (%s)", p.cert.Subject.CommonName, p.cert.NotAfter.Format(time.DateOnly))
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: hosts[0]},
		NotAfter:              now.Add(serverTerm - backdate),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if len(hosts[0]) > 64 { // RFC 5280, ub-common-name
		template.Subject.CommonName = "hubledger"
	}
	if template.NotAfter.After(p.cert.NotAfter) {
		template.NotAfter = p.cert.NotAfter
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	return certify(template, p, now)
}

// certify creates a key and its certificate, signed by the key of by, or
// self-signed if by is nil.
func certify(template *x509.Certificate, by *pair, now time.Time) (*pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template.NotBefore = now.Add(-backdate)
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	// CreateCertificate makes the serial number: 159 random bits.
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	return &pair{cert, key}, err
}

func readPair(cert, key string) (*pair, error) {
	read, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("read %s and %s: %w", cert, key, err)
	}
	private, ok := read.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is not an ECDSA key", key)
	}
	return &pair{read.Leaf, private}, nil
}

// write puts the pair into two PEM files, each replaced as a whole. The key is
// readable only by its owner.
func (p *pair) write(cert, key string) error {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return err
	}
	return errors.Join(
		durable.ReplaceFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600),
		durable.ReplaceFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw}), 0o644))
}
