// Package buildcontext turns a directory that is to be built into one file and back: a
// tar file, compressed with gzip, without what .dockerignore leaves out.
package buildcontext

import (
	"errors"
	"fmt"
)

// Limits bound a directory. Both are needed.
type Limits struct {
	Bytes int64 // of its files together
	Files int   // files, directories and links
}

// DefaultLimits are those of the directory of one build.
var DefaultLimits = Limits{Bytes: 4 << 30, Files: 1_000_000}

// MaxFile bounds the file that has the directory, in bytes.
const MaxFile = 2 << 30

// maxPath bounds the path of a file within the directory, in bytes, as Linux does.
const maxPath = 4095

// ErrTooLarge: the directory has more than Limits.
var ErrTooLarge = errors.New("the directory is too large")

// take counts a file of so many bytes.
func (l *Limits) take(size int64, most Limits) error {
	l.Files--
	l.Bytes -= size
	if l.Files < 0 || l.Bytes < 0 {
		return fmt.Errorf("%w: it has more than %d files, or more than %d MiB", ErrTooLarge, most.Files, most.Bytes>>20)
	}
	return nil
}
