package worker

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"unicode/utf8"

	"hubledger/services/internal/repository"
)

// readReadme is the text of a file of a checkout, "" when it has the SHA-256 known. It
// has to be a regular file; a symbolic link does not lead out of the checkout.
func readReadme(checkout, name, known string) (string, error) {
	root, err := os.OpenRoot(checkout)
	if err != nil {
		return "", err
	}
	defer root.Close()
	name = filepath.FromSlash(path.Clean("/" + name)[1:])
	info, err := root.Stat(name) // before it is opened: a pipe would wait for a writer
	if err != nil {
		return "", errors.New("there is no such file in the repository")
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is no regular file")
	}
	file, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, repository.MaxReadme+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > repository.MaxReadme:
		return "", fmt.Errorf("it has more than %d bytes", repository.MaxReadme)
	case !utf8.Valid(text) || bytes.ContainsRune(text, 0):
		return "", errors.New("it is no text in UTF-8")
	}
	if SumOf(string(text)) == known {
		return "", nil
	}
	return string(text), nil
}

// SumOf is the SHA-256 of a README, as an Assignment has it.
func SumOf(readme string) string {
	sum := sha256.Sum256([]byte(readme))
	return hex.EncodeToString(sum[:])
}
