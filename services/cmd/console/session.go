// Package console holds what the commands share: the global flags, where and how
// they print, how they ask for passwords, and which hub they talk to.
package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"hubledger/services/internal/owner"
)

// DefaultData is the data directory when none is named.
const DefaultData = "./hubledger-data"

// A Session is one run of the program: the global flags, and where to write.
type Session struct {
	// Context ends when the user interrupts the program.
	Context context.Context
	// Data is the data directory.
	Data string
	// JSON asks for JSON instead of text for people: one document, or one line
	// per item.
	JSON bool
	// Out is for results, Err for progress, questions and warnings.
	Out, Err io.Writer
}

// inContainer is where the program is in the container image, and only there.
const inContainer = "/hubledger"

// Program is what people type to run this program on the session's data directory.
func (s *Session) Program() string {
	name := os.Args[0]
	if name == inContainer {
		return "docker exec CONTAINER " + name // the container has the data directory in its environment
	}
	if strings.Contains(name, "go-build") {
		name = "go run ."
	}
	if s.Data != DefaultData {
		name += " --data " + s.Data
	}
	return name
}

// OwnFiles is called by a command that writes into the data directory: only the
// owner can read what it makes. The function that it returns gives the new files to
// the directory's owner, when the command was run as root; see owner.GiveFiles.
func (s *Session) OwnFiles(skip ...string) (give func()) {
	syscall.Umask(0o077)
	return func() {
		if err := owner.GiveFiles(s.Data, skip...); err != nil && !errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(s.Err, "warning: files of the data directory may belong to root now, which the hub's user cannot read: %v\n", err)
		}
	}
}
