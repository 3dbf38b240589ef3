package secrets

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"filippo.io/age"

	"hubledger/streams/disk"
)

// A box encrypts and decrypts secrets. Age keeps them from being read
// (age-encryption.org/v1, X25519); the code in front of each proves
// that it was written with this key and under this name, which age alone does not.
type box struct {
	identity *age.X25519Identity
	mac      []byte // key of that code
}

func newBox(identity *age.X25519Identity) (*box, error) {
	mac, err := hkdf.Key(sha256.New, []byte(identity.String()), nil, "hubledger secrets: name and value", sha256.Size)
	return &box{identity, mac}, err
}

const keyFileHead = `# The key to Hubledger's secrets: password hashes, e-mail addresses, signing keys.
# Back this file up APART from the data. Without it nobody can log in with a
# password; with it and the data, the secrets can be read.
`

// makeKey makes a key file that only its owner can read. When another node makes
// it at the same moment, or has made it, its key is the one.
func makeKey(path string) (*box, error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	err = disk.MakeFile(path, []byte(keyFileHead+identity.String()+"\n"))
	if errors.Is(err, fs.ErrExist) {
		return readKey(path)
	}
	if err != nil {
		return nil, err
	}
	return newBox(identity)
}

// A KeyFileError says that the key file is not the one that is needed, so that
// opening the bucket again would not help.
type KeyFileError struct{ Err error }

func (e *KeyFileError) Error() string { return e.Err.Error() }
func (e *KeyFileError) Unwrap() error { return e.Err }

// ExitCode is the exit status of a command that fails for this reason: that of a
// wrong setting.
func (e *KeyFileError) ExitCode() int { return 2 }

// readKey reads a key file; the error wraps fs.ErrNotExist when it is missing.
func readKey(path string) (*box, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("key file %s can be read by others than its owner (mode %04o): chmod 600 it", path, mode)
	}
	found, err := age.ParseIdentities(io.LimitReader(f, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("key file %s: it must hold one age identity", path) // the cause may quote the key
	}
	identity, ok := found[0].(*age.X25519Identity)
	if !ok || len(found) != 1 {
		return nil, fmt.Errorf("key file %s: it must hold one age X25519 identity", path)
	}
	return newBox(identity)
}

// code authenticates a name and a value together.
func (b *box) code(key string, value []byte) []byte {
	h := hmac.New(sha256.New, b.mac)
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(key))))
	h.Write([]byte(key))
	h.Write(value)
	return h.Sum(nil)
}

func (b *box) seal(key string, value []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, b.identity.Recipient())
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(append(b.code(key, value), value...)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (b *box) open(key string, sealed []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), b.identity)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, MaxSize+sha256.Size+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if len(plain) < sha256.Size || !hmac.Equal(plain[:sha256.Size], b.code(key, plain[sha256.Size:])) {
		return nil, fmt.Errorf("%w: %w", ErrKey, errors.New("it was written with another key or under another name"))
	}
	return plain[sha256.Size:], nil
}
