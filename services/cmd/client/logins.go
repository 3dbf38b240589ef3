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

// A Login is what is kept of a login: a token, never a password.
type Login struct {
	User  string `json:"user"`
	Token string `json:"token"`
	// TokenID is there when the login made the token, so that logout ends it.
	TokenID string `json:"tokenId,omitempty"`
	CA      string `json:"ca,omitempty"` // PEM of the server's own authority
}

// Logins is the file of them.
type Logins struct {
	Current string           `json:"current"` // the server that is asked when none is named
	Logins  map[string]Login `json:"logins"`  // by the server's URL
}

func loginFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the login: %w", err)
	}
	return filepath.Join(dir, "hubledger", "login.json"), nil
}

// ReadLogins reads the file; where there is none nobody is logged in.
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
		// The error of the parser would show what is in the file.
		return none, fmt.Errorf("the saved login in %s cannot be read: delete the file and log in again", path)
	}
	return read, nil
}

// Write keeps the logins where only their owner can read them.
func (l Logins) Write() error {
	path, err := loginFile()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the login: %w", err)
	}
	raw, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return durable.ReplaceFile(path, append(raw, '\n'), 0o600)
}
