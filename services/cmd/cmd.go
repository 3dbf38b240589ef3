// Package cmd is the command line, one file a command, and the composition
// root: the only place that knows all services.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// Exit codes. Scripts rely on them: see docs/cli.md.
const (
	exitOK    = 0
	exitFail  = 1 // the command failed; the message says why
	exitUsage = 2 // the command line is invalid
	exitGuard = 3 // the log guard does not trust the log
	exitDiff  = 4 // a check found a problem: answers that differ, a damaged blob
)

// cli has every command. --data and --json may stand before or after a command.
type cli struct {
	Data string `help:"Data directory, in which the hub stores everything." default:"./hubledger-data" env:"HUBLEDGER_DATA" placeholder:"DIR"`
	JSON bool   `name:"json" help:"Print JSON: one document, or one line per item."`

	Serve       serveCmd       `cmd:"" help:"Run the hub."`
	Status      statusCmd      `cmd:"" help:"Show the state of the running hub. Exit code 0 if it accepts pushes."`
	Events      eventsCmd      `cmd:"" help:"Read the log."`
	Projections projectionsCmd `cmd:"" help:"List, prepare, compare and switch projections."`
	Blobs       blobsCmd       `cmd:"" help:"Check the blob store."`
	GC          gcCmd          `cmd:"" name:"gc" help:"Collect garbage: delete blobs that nothing needs any more."`
	Repos       reposCmd       `cmd:"" help:"Create, describe, delete, restore and share repositories."`
	Users       usersCmd       `cmd:"" help:"Create, change, disable and erase users."`
	Orgs        orgsCmd        `cmd:"" help:"Manage organizations, their members and robot accounts."`
	Teams       teamsCmd       `cmd:"" help:"Manage the teams of an organization."`
	Tokens      tokensCmd      `cmd:"" help:"Manage access tokens of users and robot accounts."`
	Search      searchCmd      `cmd:"" help:"Find repositories."`
	Cleanup     cleanupCmd     `cmd:"" help:"Manage cleanup rules, which delete tags and manifests automatically."`
	Quota       quotaCmd       `cmd:"" help:"Show or change the quota of a namespace."`
	Du          duCmd          `cmd:"" help:"Show the disk usage of a repository or a namespace."`
	Login       loginCmd       `cmd:"" help:"Log in to a hub; other commands then use this login."`
	Logout      logoutCmd      `cmd:"" help:"Forget a login and revoke its token."`
	TLS         tlsCmd         `cmd:"" name:"tls" help:"Create certificates for a hub on your own network."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// A session holds what every command needs: the global flags and where to write.
type session struct {
	ctx      context.Context
	data     string
	json     bool
	out, err io.Writer
}

// An exitError ends the program with an exit code other than exitFail.
type exitError struct {
	error
	code int
}

func (e *exitError) Unwrap() error { return e.error }

// Main runs one command line and returns the exit code.
func Main(ctx context.Context, args []string, out, errOut io.Writer) (code int) {
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("hubledger"),
		kong.Description("A self-hosted Docker Hub in one binary: every push is an event in one log."),
		kong.Writers(out, errOut),
		kong.Exit(func(code int) { exited = code; panic(errExit) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(errOut, "hubledger:", err)
		return exitFail
	}
	defer func() {
		if r := recover(); r != nil {
			if r != errExit {
				panic(r)
			}
			code = exited
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(errOut, "hubledger: %v\nSee hubledger --help.\n", err)
		return exitUsage
	}
	s := &session{ctx: ctx, data: c.Data, json: c.JSON, out: out, err: errOut}
	err = parsed.Run(s)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(errOut, "hubledger:", err)
	var coded interface{ ExitCode() int }
	var exit *exitError
	switch {
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &coded):
		return coded.ExitCode()
	}
	return exitFail
}

var errExit = errors.New("exit") // the panic with which --help ends parsing

// terminal says whether w is a terminal, on which progress can be redrawn in place.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
