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

// Exit codes. They are part of the command line's contract: see docs/cli.md.
const (
	exitOK    = 0
	exitFail  = 1 // it did not work; the message says why
	exitUsage = 2 // the words of the command line are off
	exitGuard = 3 // the log guard does not trust the log
	exitDiff  = 4 // a check ran and found something: a comparison that differs, a damaged blob
)

// cli is every command. The data directory and --json go before or behind a command.
type cli struct {
	Data string `help:"Data directory: everything Hubledger keeps." default:"./hubledger-data" env:"HUBLEDGER_DATA" placeholder:"DIR"`
	JSON bool   `name:"json" help:"Print JSON, one document or one line an item."`

	Serve       serveCmd       `cmd:"" help:"Run the hub."`
	Status      statusCmd      `cmd:"" help:"Ask the running hub how it is. Exit code 0 when it can be pushed to."`
	Events      eventsCmd      `cmd:"" help:"Read the log."`
	Projections projectionsCmd `cmd:"" help:"See, prepare, compare and switch projections."`
	Blobs       blobsCmd       `cmd:"" help:"Check the blob store."`
	GC          gcCmd          `cmd:"" name:"gc" help:"Collect blobs that nothing needs any more."`
	Repos       reposCmd       `cmd:"" help:"Repositories: describe, delete, bring back, grant."`
	Users       usersCmd       `cmd:"" help:"Users: make, change, lock out, erase."`
	Orgs        orgsCmd        `cmd:"" help:"Organizations, their members and robot accounts."`
	Teams       teamsCmd       `cmd:"" help:"Teams of an organization."`
	Tokens      tokensCmd      `cmd:"" help:"Access tokens of users and robot accounts."`
	Search      searchCmd      `cmd:"" help:"Find repositories."`
	Cleanup     cleanupCmd     `cmd:"" help:"What of a repository is deleted by itself."`
	Quota       quotaCmd       `cmd:"" help:"What a namespace may hold."`
	Du          duCmd          `cmd:"" help:"What a repository or a namespace takes."`
	Login       loginCmd       `cmd:"" help:"Log in to a hub, for the commands that ask one."`
	Logout      logoutCmd      `cmd:"" help:"Forget a login and revoke its token."`
	TLS         tlsCmd         `cmd:"" name:"tls" help:"Make certificates for a hub of your own network."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// A session is what every command gets.
type session struct {
	ctx      context.Context
	data     string
	json     bool
	out, err io.Writer
}

// An exitError ends the program with a code of its own.
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

var errExit = errors.New("exit") // what --help ends parsing with

// terminal says whether w is one, so that progress can be drawn on it.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
