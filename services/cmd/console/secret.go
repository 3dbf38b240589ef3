package console

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// maxSecret bounds a password read from standard input, in bytes.
const maxSecret = 4096

// Secret asks for a password without showing it, or reads the next line of
// standard input. No flag takes a password, because every user of the machine
// can see flags.
func (s *Session) Secret(prompt string, fromStdin bool) (string, error) {
	if fromStdin {
		return nextLine(os.Stdin)
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", errors.New("there is no terminal to ask for a password: give it on standard input with --password-stdin")
	}
	fmt.Fprint(s.Err, prompt+": ")
	raw, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(s.Err)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(raw), nil
}

// nextLine reads up to the end of a line and no further, so that another secret
// can follow on the next line.
func nextLine(in io.Reader) (string, error) {
	var line []byte
	for one := make([]byte, 1); ; {
		n, err := in.Read(one)
		if n == 1 && one[0] != '\n' {
			line = append(line, one[0])
		}
		if len(line) > maxSecret {
			return "", errors.New("the line on standard input is too long for a password or token")
		}
		if n == 1 && one[0] == '\n' || errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("read standard input: %w", err)
		}
	}
	text := strings.TrimSuffix(string(line), "\r")
	if text == "" {
		return "", errors.New("standard input has no more lines")
	}
	return text, nil
}

// NewSecret asks for a new password. On a terminal it has to be typed twice.
func (s *Session) NewSecret(prompt string, fromStdin bool) (string, error) {
	first, err := s.Secret(prompt, fromStdin)
	if err != nil || fromStdin {
		return first, err
	}
	again, err := s.Secret("Once more", false)
	if err == nil && again != first {
		err = errors.New("the two passwords differ; nothing was changed")
	}
	return first, err
}

// CanAsk says why no Question can be asked, before something is done that would ask one.
func (s *Session) CanAsk() error {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return errors.New("there is no terminal to ask on")
	}
	return nil
}

// Question asks for a line on the terminal.
func (s *Session) Question(prompt string) (string, error) {
	if err := s.CanAsk(); err != nil {
		return "", err
	}
	fmt.Fprint(s.Err, prompt+": ")
	line, err := nextLine(os.Stdin)
	return strings.TrimSpace(line), err
}
