package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
)

// HashFirst hashes the first administrator's password ahead of Initialize, when there
// is none yet, and gives its memory back: a start that hashes before it has loaded
// anything never has both. It changes nothing.
func (s *Auth) HashFirst(ctx context.Context) {
	if p, _, err := command.Latest(ctx, s.Log, events.HubSubject()); err == nil && p == nil && s.Secrets != nil {
		_, _ = s.first.make(ctx, s) // Initialize meets the error again
	}
}

// A firstPassword is made once.
type firstPassword struct {
	mu   sync.Mutex
	made hashedPassword
}

type hashedPassword struct {
	password string
	hash     string // in the PHC format
}

// make hashes the operator's password, that of an earlier call, or a new one.
func (f *firstPassword) make(ctx context.Context, s *Auth) (hashedPassword, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made.hash != "" {
		return f.made, nil
	}
	password, err := s.chooseFirstPassword()
	if err != nil {
		return hashedPassword{}, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return hashedPassword{}, err
	}
	f.made = hashedPassword{password, hash.String()}
	return f.made, nil
}

// forget keeps no password longer than it is needed.
func (f *firstPassword) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made = hashedPassword{}
}

func (s *Auth) chooseFirstPassword() (string, error) {
	if s.AdminPassword != "" {
		return s.AdminPassword, account.CheckPassword(firstAdmin, s.AdminPassword)
	}
	if written, err := s.writtenPassword(); err != nil || written != "" {
		return written, err
	}
	return rand.Text(), nil // 26 characters, 130 bits
}

// writeFirstPassword keeps a password that the operator did not choose, before the
// account is made.
func (s *Auth) writeFirstPassword(password string) error {
	if s.AdminPassword != "" {
		return nil
	}
	if written, err := s.writtenPassword(); err != nil || written == password {
		return err
	}
	return writePassword(s.PasswordFile, password)
}

// writtenPassword is the password in the file, "" when there is no file.
func (s *Auth) writtenPassword() (string, error) {
	text, err := os.ReadFile(s.PasswordFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// writePassword writes a file that only its owner can read, as a whole.
func writePassword(path, password string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(password + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
