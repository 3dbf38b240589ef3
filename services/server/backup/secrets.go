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

	"hubledger/services/internal/durable"
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
	return durable.ReplaceFile(filepath.Join(dir, s.SecretsFile), text.Bytes(), 0o600)
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
	n := 0
	for in := json.NewDecoder(f); ; n++ {
		var s sealedSecret
		if err := in.Decode(&s); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("%s: %w: %w", summary.SecretsFile, ErrDamaged, err)
		}
		if err := each(s.Key, s.Sealed); err != nil {
			return err
		}
	}
	if n != summary.Secrets {
		return fmt.Errorf("%s has %d secrets, %d were written: %w", summary.SecretsFile, n, summary.Secrets, ErrDamaged)
	}
	return nil
}
