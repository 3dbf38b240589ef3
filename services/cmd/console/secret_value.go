package console

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// maxValue bounds what is read of a secret of builds or of an application, in bytes: more
// than the hub takes, whose refusal says so.
const maxValue = 64<<10 + 1

// SecretValue is the value of a secret: the content of a file, with "-" all of standard
// input; with "" it asks for it, or takes the one line of standard input.
func (s *Session) SecretValue(key, file string) (string, error) {
	switch file {
	case "":
		if term.IsTerminal(int(os.Stdin.Fd())) {
			value, err := s.Secret("Value of "+key, false)
			if err != nil {
				return "", err
			}
			return readValue(strings.NewReader(value))
		}
		return oneLine(os.Stdin)
	case "-":
		return readValue(os.Stdin)
	}
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return readValue(f)
}

// oneLine is a value without the end of its line.
func oneLine(in io.Reader) (string, error) {
	value, err := readValue(in)
	if err != nil {
		return "", err
	}
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	switch {
	case strings.Contains(value, "\n"):
		return "", errors.New("standard input has more than one line: give all of it with --from-file -, or name a file with --from-file FILE")
	case value == "":
		return "", errors.New("standard input is empty: write the value to it, or name a file with --from-file FILE")
	}
	return value, nil
}

func readValue(in io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxValue))
	switch {
	case err != nil:
		return "", fmt.Errorf("read the value: %w", err)
	case !utf8.Valid(text) || strings.ContainsRune(string(text), 0):
		return "", errors.New("the value is no text: encode it, for instance with base64, and decode it where it is used")
	}
	return string(text), nil
}
