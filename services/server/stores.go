package server

import (
	"context"
	"errors"
	"path/filepath"

	"hubledger/events"
	"hubledger/services/internal/activity"
	"hubledger/services/internal/operations"
	"hubledger/services/registry"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/leases"
	"hubledger/services/registry/pulls"
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
	if err := n.openOperations(ctx); err != nil {
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

// openOperations opens the operational store and what keeps its tables there.
func (n *Node) openOperations(ctx context.Context) (err error) {
	n.operations, err = operations.Open(ctx, operations.Config{File: filepath.Join(n.Data, operations.FileName), PostgresURL: n.PostgresURL})
	if err != nil {
		return err
	}
	if n.leases, err = leases.Open(ctx, n.operations); err != nil {
		return err
	}
	if n.pulls, err = pulls.Open(ctx, n.operations); err != nil {
		return err
	}
	n.activity, err = activity.Open(ctx, n.operations)
	return err
}
