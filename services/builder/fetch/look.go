package fetch

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// A look says what to look for in a commit.
type look struct {
	Previous string // id of the commit to compare with; "" for none
	File     string // name of a file in the root; "" for none
	MaxFile  int    // bytes
}

// Bounds of the names that changed. They go through the report of the cage.
const (
	maxChanged      = 10_000
	maxChangedBytes = 400 << 10
)

// seen is what was found. Changed are paths, each with a NUL behind it.
type seen struct {
	Changed, File  []byte
	Every, BadFile string
	HasFile        bool
}

// A Look is what is to be seen in a commit without its files.
type Look struct {
	// Changed are the paths of files that the commit has otherwise than the previous
	// one, of which one of both may have none. Every says why all files count as changed
	// instead, "" when they do not.
	Changed []string
	Every   string
	// File is the content of the file, nil when there is none. BadFile says why it
	// cannot be read, "" when it can.
	File    []byte
	BadFile string
}

// Look looks at a commit and fetches no more of it than is needed: which files changed
// since previous, "" for no comparison, and the content of a file in its root, "" for
// none, if it is a regular one of at most max bytes. The errors are those of Fetch.
func (f *Fetcher) Look(ctx context.Context, id string, s Source, previous, file string, max int, l Limits) (found Look, err error) {
	if previous != "" && !commitPattern.MatchString(previous) {
		return found, fmt.Errorf("%.80q is no id of a commit", previous)
	}
	err = f.within(ctx, id, s, l, func(ctx context.Context) error {
		r, err := f.run(ctx, id, s, plan{Look: &look{Previous: previous, File: file, MaxFile: max}}, l, func(in io.Reader) error {
			_, err := io.Copy(io.Discard, in)
			return err
		})
		if err != nil {
			return err
		}
		if r.Seen == nil || len(r.Seen.File) > max {
			return fmt.Errorf("git has told nothing")
		}
		found.Every, found.BadFile = r.Seen.Every, r.Seen.BadFile
		if r.Seen.HasFile && found.BadFile == "" {
			found.File = append([]byte{}, r.Seen.File...)
		}
		for name := range bytes.SplitSeq(bytes.TrimSuffix(r.Seen.Changed, []byte{0}), []byte{0}) {
			if len(name) > 0 {
				found.Changed = append(found.Changed, string(name))
			}
		}
		return nil
	})
	return found, err
}
