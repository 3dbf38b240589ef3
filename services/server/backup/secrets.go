package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A sealedSecret is one line of the file of secrets.
type sealedSecret struct {
	Key    string `json:"key"`
	Sealed []byte `json:"sealed"` // encrypted as in the hub: it opens with the hub's key file
}

// writeSecrets writes the file of secrets.
func writeSecrets(ctx context.Context, c Config, dir string, s *Summary) error {
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	err := c.Secrets(ctx, func(key string, sealed []byte) error {
		s.Secrets++
		return out.Encode(sealedSecret{key, sealed})
	})
	if err != nil {
		return err
	}
	return c.replace(filepath.Join(dir, s.SecretsFile), text.Bytes())
}

// Secrets calls each with the encrypted secrets of a backup; there are none in one that was
// made without. ErrDamaged when some are missing.
func Secrets(dir string, summary Summary, each func(key string, sealed []byte) error) error {
	if summary.SecretsFile == "" {
		return nil
	}
	f, err := os.Open(filepath.Join(dir, filepath.Base(summary.SecretsFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the file %s with its secrets is missing: %w", summary.SecretsFile, ErrDamaged)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return eachLine(f, summary.SecretsFile, summary.Secrets, func(s sealedSecret) error { return each(s.Key, s.Sealed) })
}

// eachLine calls each with the lines of a file of a backup, which has to have so many.
// ErrDamaged.
func eachLine[T any](r io.Reader, file string, want int, each func(T) error) error {
	n := 0
	for in := json.NewDecoder(r); ; n++ {
		var line T
		if err := in.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("%s: %w: %w", file, ErrDamaged, err)
		}
		if err := each(line); err != nil {
			return err
		}
	}
	if n != want {
		return fmt.Errorf("%s has %d lines, %d were written: %w", file, n, want, ErrDamaged)
	}
	return nil
}
