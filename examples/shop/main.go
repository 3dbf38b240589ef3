// Shop is an application to try deployments with: a frontend that takes orders, workers that do
// them, and a queue on NATS JetStream between them. It is one static program:
//
//	shop web      answers requests: /, /cart, POST /orders, /orders, /healthz
//	shop worker   does orders
//	shop queue    is the queue
//	shop done     prints the orders that were done, each time that one was
//
// Its VERSION is what it was built with; that of "broken" cannot show the cart.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

var version = "1" // go build -ldflags "-X main.version=2"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	run := map[string]func(context.Context) error{"web": web, "worker": worker, "queue": queue, "done": done}
	if len(os.Args) != 2 || run[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: shop web|worker|queue|done")
		os.Exit(2)
	}
	if err := run[os.Args[1]](ctx); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

// self is who answers: version and colour.
func self() string { return "shop " + version + " (" + os.Getenv("HUBLEDGER_COLOUR") + ")" }
