// Hubledger is a self-hosted Docker Hub whose every fact is an event in one log.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"hubledger/services/cmd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second signal ends the program at once
	code := cmd.Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
