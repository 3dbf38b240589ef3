// Package cmd is the command line, one file a command. Groups of commands have
// packages below it; what all commands share is in console and client.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/dockerd"
	"hubledger/services/builder/fetch"
	"hubledger/services/cmd/accounts"
	"hubledger/services/cmd/apps"
	"hubledger/services/cmd/backups"
	"hubledger/services/cmd/builders"
	"hubledger/services/cmd/builds"
	"hubledger/services/cmd/certificates"
	"hubledger/services/cmd/console"
	"hubledger/services/cmd/hosts"
	"hubledger/services/cmd/projections"
	"hubledger/services/cmd/readers"
	"hubledger/services/cmd/repositories"
	"hubledger/services/cmd/rules"
	"hubledger/services/cmd/sources"
	"hubledger/services/cmd/tags"
	"hubledger/services/internal/plaintext"
)

// cli has every command. --data and --json may stand before or after a command.
type cli struct {
	Data string `help:"Data directory, in which the hub stores everything." default:"./hubledger-data" env:"HUBLEDGER_DATA" placeholder:"DIR"`
	JSON bool   `name:"json" help:"Print JSON: one document, or one line per item."`

	Serve       serveCmd              `cmd:"" help:"Run the hub."`
	Status      statusCmd             `cmd:"" help:"Show the state of the running hub. Exit code 0 if it accepts pushes."`
	Events      eventsCmd             `cmd:"" help:"Read the log."`
	Why         whyCmd                `cmd:"" help:"Say what led to a tag, an image, a build or an event, and what it led to."`
	Verify      verifyCmd             `cmd:"" help:"Compare the log with its second copy, the Merkle tree and what was signed."`
	Checkpoint  checkpointCmd         `cmd:"" help:"Print the last signed checkpoint of the log, to keep it."`
	Prove       proveCmd              `cmd:"" help:"Write a proof that an event stands in the log."`
	VerifyProof verifyProofCmd        `cmd:"" name:"verify-proof" help:"Check a proof without the hub, and show its event."`
	Report      reportCmd             `cmd:"" help:"Report who pushed, built, deployed, changed rights, deleted and was refused in a period."`
	Backup      backups.Backup        `cmd:"" help:"Back up the running hub to a directory; verify and list backups."`
	Archive     backups.Archive       `cmd:"" help:"Copy the log of the running hub to a directory, with what proves it."`
	Restore     backups.Restore       `cmd:"" help:"Make a hub of a backup, in a new data directory."`
	Repair      repairCmd             `cmd:"" help:"Rebuild a damaged log from its journal, and verify it. The hub must be stopped."`
	Projections projections.Commands  `cmd:"" help:"List, prepare, compare and switch projections."`
	DeadLetters deadLettersCmd        `cmd:"" name:"dead-letters" help:"List and retry tasks of process managers that failed too often."`
	Blobs       blobsCmd              `cmd:"" help:"Check the blob store."`
	GC          gcCmd                 `cmd:"" name:"gc" help:"Collect garbage: delete blobs that nothing needs any more."`
	Repos       repositories.Repos    `cmd:"" help:"Create, describe, delete, restore and share repositories."`
	Tags        tags.Commands         `cmd:"" help:"List and delete tags, show their history, and roll them back."`
	Files       tags.Files            `cmd:"" help:"List the layers of an image, or the files of one."`
	Users       accounts.Users        `cmd:"" help:"Create, change, disable and erase users."`
	Orgs        accounts.Orgs         `cmd:"" help:"Manage organizations, their members and robot accounts."`
	Teams       accounts.Teams        `cmd:"" help:"Manage the teams of an organization."`
	Access      accounts.Access       `cmd:"" help:"Say in what rights differ from those at an earlier time."`
	Tokens      accounts.Tokens       `cmd:"" help:"Manage access tokens of users and robot accounts."`
	Search      repositories.Search   `cmd:"" help:"Find repositories."`
	Cleanup     repositories.Cleanup  `cmd:"" help:"Manage cleanup rules, which delete tags and manifests automatically."`
	Rules       rules.Commands        `cmd:"" help:"Check, simulate, import and set build rules, with their secrets and triggers."`
	Quota       repositories.Quota    `cmd:"" help:"Show or change the quota of a namespace."`
	Du          repositories.Du       `cmd:"" help:"Show the disk usage of a repository or a namespace."`
	Sources     sources.Commands      `cmd:"" help:"Watch git repositories."`
	Build       builds.Build          `cmd:"" help:"Build a directory of this machine on the hub, and push the image."`
	Builds      builds.Commands       `cmd:"" help:"List, show, cancel and retry builds."`
	NATS        readers.NATS          `cmd:"" name:"nats" help:"Let others follow the log with NATS clients."`
	Builders    builders.Commands     `cmd:"" help:"List, enroll and revoke builders."`
	Builder     builders.Builder      `cmd:"" help:"Run builds of a hub on this machine, or check whether it can."`
	Hosts       hosts.Commands        `cmd:"" help:"List, enroll and revoke hosts, on which applications run."`
	Agent       hosts.Agent           `cmd:"" help:"Run applications of a hub on this machine, by its Docker."`
	HAProxy     hosts.HAProxy         `cmd:"" name:"haproxy" help:"Print the configuration of the balancer of an application."`
	Apps        apps.Commands         `cmd:"" help:"Manage applications: Compose files, environments, configuration and secrets."`
	Releases    apps.Releases         `cmd:"" help:"Make, list, show and compare the releases of applications."`
	Deploy      apps.Deploy           `cmd:"" help:"Deploy a release of an application to an environment, and follow it until it is held or has ended."`
	Deployments apps.Deployments      `cmd:"" help:"List, show and follow deployments, and say what runs where."`
	Promote     apps.Promote          `cmd:"" help:"Give the release that is held all traffic and all tasks."`
	Rollback    apps.Rollback         `cmd:"" help:"Go back: give the deployment that runs up, or deploy an earlier release at once."`
	Cancel      apps.Cancel           `cmd:"" help:"Give the deployment that runs up."`
	ExcludeHost apps.ExcludeHost      `cmd:"" name:"exclude-host" help:"Let the deployment that runs go on without a host."`
	Gates       apps.Gates            `cmd:"" help:"Show the gates of the latest deployment, or say as a person what one has found."`
	Login       loginCmd              `cmd:"" help:"Log in to a hub; other commands then use this login."`
	Logout      logoutCmd             `cmd:"" help:"Forget a login and revoke its token."`
	TLS         certificates.Commands `cmd:"" name:"tls" help:"Create certificates for a hub on your own network."`
	Version     versionCmd            `cmd:"" help:"Print the version."`
}

// Main runs one command line and returns the exit code.
func Main(ctx context.Context, args []string, out, errOut io.Writer) (code int) {
	inCage()
	unsetEmpty(os.Environ())
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
		return console.ExitFail
	}
	// Whatever is printed from here on may have texts of others in it.
	out, errOut = plaintext.Writer{W: out}, plaintext.Writer{W: errOut}
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
	for _, warning := range unknownVariables(os.Environ(), variables(parser.Model)) {
		fmt.Fprintln(errOut, "hubledger:", warning)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(errOut, "hubledger: %v\nSee %s --help.\n", err, tried(err))
		return console.ExitUsage
	}
	s := &console.Session{Context: ctx, Data: c.Data, JSON: c.JSON, Out: out, Err: errOut}
	err = parsed.Run(s)
	if err == nil {
		return console.ExitOK
	}
	fmt.Fprintln(errOut, "hubledger:", err)
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return console.ExitFail
}

// tried is the command that could not be parsed, as far as it was recognized.
func tried(err error) string {
	var parsing *kong.ParseError
	if errors.As(err, &parsing) {
		if command := parsing.Context.Selected(); command != nil {
			return command.FullPath()
		}
	}
	return "hubledger"
}

var errExit = errors.New("exit") // the panic with which --help ends parsing

// inCage makes this process what a build has started it for, inside of its cage: then
// it does not return.
func inCage() {
	if cage.Inside() {
		cage.Main()
	}
	if fetch.Inside() {
		fetch.Main()
	}
	if dockerd.Inside() {
		dockerd.Main()
	}
}
