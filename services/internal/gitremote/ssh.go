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

func (c *Client) listSSH(ctx context.Context, u URL, with Credentials, pulls PullRefs) (l Listing, err error) {
	s, err := c.connect(ctx, u, with, &l.HostKey)
	if err != nil {
		return l, err
	}
	defer s.close()
	out, err := s.StdoutPipe()
	if err != nil {
		return l, err
	}
	var said said
	s.Stderr = &said
	if err := s.Start("git-upload-pack " + quoted(u.Path)); err != nil {
		return l, err
	}
	l.Advertisement, err = readAdvertisement(out, false, pulls)
	if err != nil {
		s.Close()
		s.Wait() // until all is said
	}
	if err != nil && len(said.text) > 0 {
		return l, fmt.Errorf("%w: %.300q", ErrNotFound, strings.TrimSpace(string(said.text)))
	}
	return l, err
}

// UploadPack runs git-upload-pack on an SSH host, by a version of git's protocol such
// as "version=2", until it ends. The errors are those of List.
func (c *Client) UploadPack(ctx context.Context, u URL, with Credentials, protocol string, in io.Reader, out io.Writer) error {
	var key string
	s, err := c.connect(ctx, u, with, &key)
	if err != nil {
		return err
	}
	defer s.close()
	if protocol != "" {
		s.Setenv("GIT_PROTOCOL", protocol) // a host that does not take it speaks the first version
	}
	var said said
	s.Stdin, s.Stdout, s.Stderr = in, out, &said
	err = s.Run("git-upload-pack " + quoted(u.Path))
	var exit *ssh.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%w: %.300q", ErrNotFound, strings.TrimSpace(string(said.text)))
	}
	return err
}

// A session is one on a connection of its own.
type session struct {
	*ssh.Session
	close func()
}

// connect opens a session, and says what key the host has shown.
func (c *Client) connect(ctx context.Context, u URL, with Credentials, hostKey *string) (*session, error) {
	config, err := sshConfig(u, with, hostKey)
	if err != nil {
		return nil, err
	}
	host := u.Host
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "22")
	}
	tcp, err := c.guard.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { tcp.Close() })
	tcp.SetDeadline(time.Now().Add(handshakeTimeout))
	conn, channels, requests, err := ssh.NewClientConn(tcp, host, config)
	if err != nil {
		stop()
		tcp.Close()
		return nil, handshakeError(err, *hostKey != "")
	}
	tcp.SetDeadline(time.Time{})
	client := ssh.NewClient(conn, channels, requests)
	end := func() {
		client.Close()
		stop()
	}
	s, err := client.NewSession()
	if err != nil {
		end()
		return nil, err
	}
	return &session{s, func() { s.Close(); end() }}, nil
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
