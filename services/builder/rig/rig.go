// Package rig sets up what a machine builds with: directories, the git program in its
// cage, and the driver.
package rig

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"hubledger/services/builder/caged"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/drivers"
	"hubledger/services/builder/fetch"
	"hubledger/services/builder/relay"
	"hubledger/services/builder/upload"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/origin"
)

// Config says how a machine builds. All fields but Aliases and TLS are required.
type Config struct {
	// Dir is for checkouts and for what builds write, of this builder alone: what is in
	// it when it is opened is removed.
	Dir string
	// Tools are the programs that it needs.
	Tools drivers.Tools
	// Hub is where the hub is reached from this machine.
	Hub *url.URL
	// Registry is how builds call it, in names of images.
	Registry string
	// Aliases are other names of it that builds may use. Those of loopback go without
	// saying.
	Aliases []string
	// TLS is for connections to the hub; nil for the system's authorities.
	TLS *tls.Config
	// Egress judges connections to git hosts.
	Egress *egress.Guard
	Logger *slog.Logger
}

// Open returns what builds for a hub, once that can be pushed to. The error says what is
// missing on this machine.
func Open(ctx context.Context, c Config, hub worker.Hub) (*worker.Worker, error) {
	dir, err := filepath.Abs(c.Dir) // cages have another root
	if err != nil {
		return nil, err
	}
	checkouts, fetches := filepath.Join(dir, "checkouts"), filepath.Join(dir, "fetches")
	if err := errors.Join(os.RemoveAll(checkouts), os.MkdirAll(checkouts, 0o700), os.MkdirAll(fetches, 0o700)); err != nil {
		return nil, err
	}
	fetcher := &fetch.Fetcher{Guard: c.Egress, Dir: fetches, Logger: c.Logger}
	if err := fetcher.Sweep(); err != nil {
		c.Logger.Warn("something of an earlier build is left on this machine", "error", err)
	}
	d, err := drivers.New(caged.Config{Dir: dir, Hub: c.Hub, Registry: c.Registry, Aliases: append(loopback(c.Registry), c.Aliases...), TLS: c.TLS, Egress: &egress.Guard{}, Logger: c.Logger,
		Credentials: func(s driver.Spec) relay.Credentials { return worker.CredentialsOf(hub, s.ID) }}, c.Tools)
	if err != nil {
		return nil, err
	}
	w := &worker.Worker{Hub: hub, Driver: d, Registry: c.Registry, Fetcher: fetcher, Uploads: upload.New(c.Hub, c.TLS), Dir: checkouts, Logger: c.Logger}
	return w, c.awaitReady(ctx)
}

// loopback are the names of a hub that is reached by loopback.
func loopback(registry string) []string {
	host, port, err := net.SplitHostPort(registry)
	if err != nil || !origin.IsLoopback(host) {
		return nil
	}
	return []string{net.JoinHostPort("localhost", port), net.JoinHostPort("127.0.0.1", port)}
}

// Offer is what this machine can do: half as many builds at once as it has cores.
func Offer(t drivers.Tools) worker.Offer {
	return worker.Offer{Hooks: t.CheckHooks() == nil, Platforms: []string{"linux/" + runtime.GOARCH}, Places: max(1, runtime.NumCPU()/2)}
}

const (
	readyPause  = 200 * time.Millisecond
	readyWithin = 10 * time.Second // one attempt
	readyTold   = 5 * time.Second
)

// awaitReady returns when the hub answers that it can be pushed to.
func (c Config) awaitReady(ctx context.Context) error {
	client := &http.Client{Timeout: readyWithin, Transport: &http.Transport{TLSClientConfig: c.TLS}}
	defer client.CloseIdleConnections()
	began, told := time.Now(), false
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Hub.String()+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(resp.Status)
		}
		if !told && time.Since(began) > readyTold {
			told = true
			c.Logger.Warn("the hub cannot be pushed to yet; it is tried again", "hub", c.Hub, "error", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(readyPause):
		}
	}
}
