// Package rules has the commands on build rules, which say which refs of a git
// repository become which tags of an image.
package rules

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/buildrule"
)

// Commands are the commands on build rules.
type Commands struct {
	Show     showCmd     `cmd:"" help:"Show the build rules of a repository, as a file of rules."`
	Set      setCmd      `cmd:"" help:"Replace the build rules of a repository by those of a file."`
	Pushes   pushesCmd   `cmd:"" help:"List what the build rules of a repository have made of branches and git tags that moved."`
	Triggers triggersCmd `cmd:"" help:"URLs that have a repository built when they are called."`
	Validate validateCmd `cmd:"" help:"Check a file of build rules. Exit code 4 if it has errors."`
	Simulate simulateCmd `cmd:"" help:"Show for every rule of a file, or of a repository, what it makes of branches and git tags, and why."`
	Secrets  secretsCmds `cmd:"" help:"Set, list and destroy the secrets that builds of a repository may read."`
	Import   importCmd   `cmd:"" help:"Turn the table of build rules copied from Docker Hub's page into a .hubledger.yml. Exit code 4 if something could not be taken."`
}

// A file holds the argument of a command on a file of rules.
type file struct {
	File string `arg:"" optional:"" default:".hubledger.yml" help:"File of rules, as YAML or JSON; - for standard input." placeholder:"FILE"`
}

// readRules reads a file of rules, after printing what is wrong with them; warnings
// only if asked to.
func readRules(s *console.Session, name string, warnings bool) ([]buildrule.Rule, error) {
	text, err := readText(name)
	if err != nil {
		return nil, err
	}
	rules, problems := buildrule.ParseFile(text)
	if !warnings {
		problems = problems.Errors()
	}
	report(s, problems)
	return rules, failed(name, problems)
}

// readText reads a file, or standard input for "-", up to a little more than a file
// of rules may have.
func readText(name string) ([]byte, error) {
	in := io.ReadCloser(os.Stdin)
	if name != "-" {
		var err error
		in, err = os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no file %s: give the path of a file of rules", name)
		} else if err != nil {
			return nil, err
		}
		defer in.Close()
	}
	text, err := io.ReadAll(io.LimitReader(in, buildrule.MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}

// report prints problems, one a line.
func report(s *console.Session, problems buildrule.Problems) {
	for _, p := range problems {
		fmt.Fprintln(s.Err, console.If(p.Warning, "warning: ")+console.If(!p.Warning, "error: ")+p.Error())
	}
}

// failed is the error of rules with errors, nil without.
func failed(name string, problems buildrule.Problems) error {
	if len(problems.Errors()) > 0 {
		return found(name + " has errors")
	}
	return nil
}

// found is the error of a check that found something.
func found(what string) error {
	return &console.ExitError{Err: errors.New(what), Code: console.ExitDiff}
}
