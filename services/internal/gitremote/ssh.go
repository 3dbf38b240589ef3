package gitremote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// ErrHostKey: an SSH host has shown another key than the one that was pinned.
var ErrHostKey = errors.New("the SSH host has another key than before")

const handshakeTimeout = 20 * time.Second

func (c *Client) listSSH(ctx context.Context, u URL, with Credentials) (l Listing, err error) {
	config, err := sshConfig(u, with, &l.HostKey)
	if err != nil {
		return l, err
	}
	host := u.Host
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "22")
	}
	tcp, err := c.guard.DialContext(ctx, "tcp", host)
	if err != nil {
		return l, err
	}
	defer tcp.Close()
	stop := context.AfterFunc(ctx, func() { tcp.Close() })
	defer stop()
	tcp.SetDeadline(time.Now().Add(handshakeTimeout))
	conn, channels, requests, err := ssh.NewClientConn(tcp, host, config)
	if err != nil {
		return l, handshakeError(err, l.HostKey != "")
	}
	tcp.SetDeadline(time.Time{})
	client := ssh.NewClient(conn, channels, requests)
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return l, err
	}
	defer session.Close()
	out, err := session.StdoutPipe()
	if err != nil {
		return l, err
	}
	var said said
	session.Stderr = &said
	if err := session.Start("git-upload-pack " + quoted(u.Path)); err != nil {
		return l, err
	}
	l.Advertisement, err = readAdvertisement(out, false)
	if err != nil {
		session.Close()
		session.Wait() // until all is said
	}
	if err != nil && len(said.text) > 0 {
		return l, fmt.Errorf("%w: %.300q", ErrNotFound, strings.TrimSpace(string(said.text)))
	}
	return l, err
}

func sshConfig(u URL, with Credentials, shown *string) (*ssh.ClientConfig, error) {
	c := &ssh.ClientConfig{User: u.User, HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
		text := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
		if with.HostKey != "" && with.HostKey != text {
			return fmt.Errorf("%w: it shows %s", ErrHostKey, ssh.FingerprintSHA256(key))
		}
		*shown = text
		return nil
	}}
	if with.HostKey != "" {
		pinned, _, _, _, err := ssh.ParseAuthorizedKey([]byte(with.HostKey))
		if err != nil {
			return nil, fmt.Errorf("the pinned key of the host: %w", err)
		}
		c.HostKeyAlgorithms = algorithmsOf(pinned.Type())
	}
	if with.Key != nil {
		signer, err := ssh.ParsePrivateKey(with.Key)
		if err != nil {
			return nil, errors.New("the private key cannot be read") // its error may show a part
		}
		c.Auth = []ssh.AuthMethod{ssh.PublicKeys(signer)}
	}
	return c, nil
}

// algorithmsOf are those by which a key of that type signs.
func algorithmsOf(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}

// handshakeError is the cause of a failed handshake. A host whose key was taken has
// left the credentials to refuse.
func handshakeError(err error, keyTaken bool) error {
	var network net.Error
	if keyTaken && !errors.As(err, &network) && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", ErrCredentials, err)
	}
	return err
}

// quoted is a word for a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// said keeps the first words that a program wrote.
type said struct{ text []byte }

func (s *said) Write(p []byte) (int, error) {
	s.text = append(s.text, p[:min(len(p), 1000-len(s.text))]...)
	return len(p), nil
}
