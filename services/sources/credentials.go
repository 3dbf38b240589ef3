package sources

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/crypto/ssh"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/gitremote"
)

// secretsPrefix begins the names of the records of sources among the secrets. A record
// is written once, and the settings say which ones are good: so an event replaces a
// secret, and a token never goes to the host of other settings than its own.
const secretsPrefix = "source."

// secretName is the name of one record of a source.
func secretName(source, record string) string { return secretsPrefix + source + "." + record }

// errNoSecrets is what changes meet while the log is read-only.
var errNoSecrets = fmt.Errorf("the secrets cannot be read: %w", events.ErrReadOnly)

// Credentials are what the git host of a source is shown.
func (s *Sources) Credentials(ctx context.Context, of *builds.Source) (c gitremote.Credentials, err error) {
	c.HostKey = of.Settings.HostKey
	if of.Settings.Credentials == "" {
		return c, nil
	}
	if s.Secrets == nil {
		return c, errNoSecrets
	}
	secret, _, err := s.Secrets.Get(ctx, secretName(of.ID, of.Settings.Secret))
	if errors.Is(err, fs.ErrNotExist) {
		return c, errors.New("the credentials of the source are lost: set them again")
	}
	if err != nil {
		return c, err
	}
	if of.Settings.Credentials == events.CredentialsDeployKey {
		c.Key = secret
	} else {
		c.User, c.Password = of.Settings.User, string(secret)
	}
	return c, nil
}

// newDeployKey makes an Ed25519 key: the private half in OpenSSH's format, the public
// one as in an authorized_keys file.
func newDeployKey(comment string) (private []byte, public string, err error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", err
	}
	block, err := ssh.MarshalPrivateKey(priv, comment)
	if err != nil {
		return nil, "", err
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		return nil, "", err
	}
	return pem.EncodeToMemory(block), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))), nil
}
