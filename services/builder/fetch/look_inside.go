package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// noFiles lets git leave out files until they are asked for, where the host can.
const noFiles = "--filter=blob:none"

// look looks at a commit, fetching trees and the one file.
func (g git) look(p plan) report {
	if gone, err := g.fetch(p, "--depth=1", noFiles); err != nil {
		return report{Error: err.Error(), Gone: gone}
	}
	r := report{Seen: &seen{}}
	if err := errors.Join(g.changed(p, r.Seen), g.file(p, r.Seen)); err != nil {
		return report{Error: err.Error()}
	}
	return r
}

// changed compares the trees of two commits. A commit that the host does not give any
// more, as after a force push, cannot be compared.
func (g git) changed(p plan, to *seen) error {
	if p.Look.Previous == "" || p.Look.Previous == p.Commit {
		return nil
	}
	if _, err := g.run("fetch", "-q", "--no-tags", "--no-recurse-submodules", "--depth=1", noFiles, "origin", p.Look.Previous); err != nil {
		if !isGone(err) {
			return err
		}
		to.Every = fmt.Sprintf("the git repository does not have %.12s any more, for which the rules were evaluated before", p.Look.Previous)
		return nil
	}
	names, err := g.runUpTo(maxChangedBytes, "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", p.Look.Previous, p.Commit)
	switch {
	case errors.Is(err, errLong), err == nil && bytes.Count(names, []byte{0}) > maxChanged:
		to.Every = fmt.Sprintf("more than %d files changed, or their names are too long together", maxChanged)
		return nil
	case err != nil:
		return err
	}
	to.Changed = names
	return nil
}

// file reads a file in the root as data: no symbolic link is followed.
func (g git) file(p plan, to *seen) error {
	if p.Look.File == "" {
		return nil
	}
	entry, err := g.run("ls-tree", "-z", p.Commit, "--", p.Look.File)
	if err != nil || entry == "" {
		return err
	}
	to.HasFile = true
	fields := strings.Fields(entry)
	if len(fields) < 3 || fields[1] != "blob" || !strings.HasPrefix(fields[0], "100") {
		to.BadFile = "it is no regular file"
		return nil
	}
	text, err := g.runUpTo(p.Look.MaxFile, "cat-file", "blob", fields[2])
	if errors.Is(err, errLong) {
		to.BadFile = fmt.Sprintf("it has more than %d bytes", p.Look.MaxFile)
		return nil
	}
	to.File = text
	return err
}

var errLong = errors.New("git says too much")

// runUpTo is what git prints, as long as that is not more than max bytes; errLong.
func (g git) runUpTo(max int, args ...string) ([]byte, error) {
	cmd := exec.Command("git", append(append([]string{}, settings...), args...)...)
	cmd.Dir, cmd.Stderr = g.dir, os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(out, int64(max)+1))
	if len(text) > max {
		cmd.Process.Kill()
		cmd.Wait()
		return nil, errLong
	}
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return nil, fmt.Errorf("git %s: %w", args[0], err)
	}
	return text, nil
}
