package server

import (
	"context"
	"errors"
	"path/filepath"

	"hubledger/events"
	"hubledger/services/internal/operational"
	"hubledger/services/registry"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/leases"
	"hubledger/streams"
)

// hasSpace tells the log whether more than the reserve is free on the disk. It is
// true until the blob store is open, and on nodes without blobs.
func (n *Node) hasSpace() bool {
	if n.blobs == nil {
		return true
	}
	left, _, _, err := n.blobs.Space()
	return err != nil || left > 0
}

func (n *Node) openStores(ctx context.Context) (err error) {
	if n.leases, err = n.openLeases(ctx); err != nil {
		return err
	}
	if n.activity, err = n.openActivity(ctx); err != nil {
		return err
	}
	if n.secrets, err = streams.OpenSecrets(ctx, n.log, n.SecretsKeyFile); err != nil && !errors.Is(err, events.ErrReadOnly) {
		return err
	}
	if !n.runs("registry") && !n.runs("api") {
		return nil // no service of this node reads or deletes blobs
	}
	n.blobs, err = registry.OpenBlobs(ctx, blobs.Config{Dir: filepath.Join(n.Data, "registry"), Log: n.Logger, Reserve: n.Reserve}, n.leases)
	return err
}

func (n *Node) openLeases(ctx context.Context) (*leases.Store, error) {
	if n.PostgresURL != "" {
		return leases.OpenPostgres(ctx, n.PostgresURL)
	}
	return leases.OpenSQLite(ctx, filepath.Join(n.Data, "operations.db"))
}

func (n *Node) openActivity(ctx context.Context) (*operational.Store, error) {
	if n.PostgresURL != "" {
		return operational.OpenPostgres(ctx, n.PostgresURL)
	}
	return operational.OpenSQLite(ctx, filepath.Join(n.Data, "activity.db"))
}
