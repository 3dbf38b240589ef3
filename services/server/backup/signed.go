package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hubledger/services/audit/checkpoint"
)

// Names of the files with the last signed checkpoint and the public keys of the log.
const (
	signedFile = "checkpoint"
	keysFile   = "checkpoint.vkey"
)

// writeSigned writes what was signed of the log last, if anything was: it says whose log
// it is.
func writeSigned(c Config, dir string, signed, keys []byte) error {
	if len(signed) == 0 {
		return nil
	}
	if err := c.replace(filepath.Join(dir, keysFile), keys); err != nil {
		return err
	}
	return c.replace(filepath.Join(dir, signedFile), signed)
}

// readSigned reads what was signed of the log last; nil when nothing was. Without keys
// those beside it are believed. ErrDamaged.
func readSigned(dir string, keys checkpoint.Keys) (*checkpoint.Checkpoint, error) {
	signed, err := os.ReadFile(filepath.Join(dir, signedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if keys == nil {
		text, err := os.ReadFile(filepath.Join(dir, keysFile))
		if err == nil {
			keys, err = checkpoint.ParseKeys(string(text))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", keysFile, ErrDamaged, err)
		}
	}
	c, err := checkpoint.Open(signed, keys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", signedFile, ErrDamaged, err)
	}
	return &c, nil
}
