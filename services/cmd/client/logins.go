package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hubledger/services/internal/durable"
)

// A Login is what is saved of a login: a token, never a password.
type Login struct {
	User  string `json:"user"`
	Token string `json:"token"`
	// TokenID is set if the login created the token, so that logout revokes it.
	TokenID string `json:"tokenId,omitempty"`
	CA      string `json:"ca,omitempty"` // PEM of an authority to trust in addition to the system's
}

// Logins is the content of the file of saved logins.
type Logins struct {
	Current string           `json:"current"` // URL of the server to use when none is named
	Logins  map[string]Login `json:"logins"`  // by the server's URL
}

func loginFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the folder for saved logins: %w", err)
	}
	return filepath.Join(dir, "hubledger", "login.json"), nil
}

// ReadLogins reads the file of saved logins. Without the file there are none.
func ReadLogins() (Logins, error) {
	none := Logins{Logins: map[string]Login{}}
	path, err := loginFile()
	if err != nil {
		return none, nil // a machine without a home has no logins
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, fmt.Errorf("read the saved login: %w", err)
	}
	read := none
	if err := json.Unmarshal(raw, &read); err != nil || read.Logins == nil {
		// The parser's error is left out: it could show a token.
		return none, fmt.Errorf("the saved login in %s cannot be read: delete the file and log in again", path)
	}
	return read, nil
}

// Write saves the logins in a file that only its owner can read.
func (l Logins) Write() error {
	path, err := loginFile()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("create the folder for saved logins: %w", err)
	}
	raw, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return durable.ReplaceFile(path, append(raw, '\n'), 0o600)
}
