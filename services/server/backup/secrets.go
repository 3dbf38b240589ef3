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

const secretsFile = "secrets.jsonl"

// A sealedSecret is one line of the file of secrets.
type sealedSecret struct {
	Key    string `json:"key"`
	Sealed []byte `json:"sealed"` // encrypted as in the hub: it opens with the hub's key file
}

// writeSecrets replaces the file of secrets: those that were destroyed in the hub leave the
// backup, too.
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
	return durable.ReplaceFile(filepath.Join(dir, secretsFile), text.Bytes(), 0o600)
}

// Secrets calls each with the encrypted secrets of a backup; there are none in one that was
// made without.
func Secrets(dir string, each func(key string, sealed []byte) error) error {
	f, err := os.Open(filepath.Join(dir, secretsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	for in := json.NewDecoder(f); ; {
		var s sealedSecret
		if err := in.Decode(&s); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w: %w", secretsFile, ErrDamaged, err)
		}
		if err := each(s.Key, s.Sealed); err != nil {
			return err
		}
	}
}
