package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/internal/activity"
	"hubledger/services/internal/operations"
	"hubledger/services/registry"
	"hubledger/services/registry/blobs"
	"hubledger/services/server/settings"
	"hubledger/streams"
)

// space is how many bytes above the reserve are free on the disk of what this node
// writes: its blobs, or the embedded log. known is false when the node has neither.
func (n *Node) space() (left int64, known bool, err error) {
	if n.stores.Blobs != nil {
		left, _, _, err = n.stores.Blobs.Space()
		return left, true, err
	}
	if n.NATSURL != "" {
		return 0, false, nil
	}
	free, total, err := blobs.FreeSpace(n.Data)
	return free - blobs.ReserveOf(n.Reserve, total), true, err
}

// hasSpace tells the log whether more than the reserve is free on the disk.
func (n *Node) hasSpace() bool {
	left, known, err := n.space()
	return !known || err != nil || left > 0
}

// ballast is how many bytes are kept for deletions and for locking out on a disk
// that others fill, unless the operator wants no reserve.
func (n *Node) ballast() int64 {
	if n.Reserve < 0 {
		return 0
	}
	return 32 << 20
}

// warnOfSpace tells the operator, at most once a minute, that a request was
// refused for want of space: only its client would know otherwise.
func (n *Node) warnOfSpace() {
	now, last := time.Now().UnixNano(), n.spaceTold.Load()
	if now-last < int64(time.Minute) || !n.spaceTold.CompareAndSwap(last, now) {
		return
	}
	var about []any
	if n.stores.Blobs != nil {
		if left, free, _, err := n.stores.Blobs.Space(); err == nil {
			about = []any{"free", free, "reserve", free - left}
		}
	}
	n.Logger.Warn("pushes and changes are refused, because the disk has less free space than its reserve (in bytes): "+
		"delete images and run `hubledger gc --now`, add space, or lower --reserve", about...)
}

func (n *Node) openStores(ctx context.Context) (err error) {
	n.operations, err = operations.Open(ctx, operations.Config{File: filepath.Join(n.Data, operations.FileName), PostgresURL: n.PostgresURL, Logger: n.Logger})
	if err != nil {
		return err
	}
	if n.activity, err = activity.Open(ctx, n.operations); err != nil {
		return err
	}
	if n.secrets, err = streams.OpenSecrets(ctx, n.log, n.SecretsKeyFile); err != nil && !errors.Is(err, events.ErrReadOnly) {
		return err
	}
	if n.runs("sources") {
		if n.bodies, err = streams.OpenHookBodies(ctx, n.log, n.HookBodyAge, n.HookBodyBytes); err != nil && !errors.Is(err, events.ErrReadOnly) {
			return err
		}
	}
	if n.runs("builder") {
		if n.buildLog, err = streams.OpenBuildLog(ctx, n.log); err != nil && !errors.Is(err, events.ErrReadOnly) {
			return err
		}
	}
	if n.runs("builder") {
		if n.archive, err = n.openArchive(); err != nil {
			return err
		}
	}
	var content *blobs.Config
	if n.runs("registry") || n.runs("api") || n.runs("builder") { // the services that read, write or delete blobs
		content = &blobs.Config{Dir: filepath.Join(n.Data, "registry"), Log: n.Logger, Reserve: n.Reserve}
	}
	n.stores, err = registry.OpenStores(ctx, n.operations, content)
	return err
}

// explainInitialize says what to do when the first administrator cannot be made.
func (n *Node) explainInitialize(err error) error {
	switch {
	case errors.Is(err, account.ErrInvalid) && n.AdminPassword != "":
		return &settings.Error{Setting: "HUBLEDGER_ADMIN_PASSWORD", Err: err}
	case errors.Is(err, events.ErrNoSpace) && n.stores.Blobs != nil:
		left, free, _, serr := n.stores.Blobs.Space()
		if serr == nil {
			return fmt.Errorf("the disk of %s has %d bytes free, but %d are to stay free (the reserve): "+
				"free space, name a directory on another disk with --data, or a smaller reserve in bytes with --reserve", n.Data, free, free-left)
		}
	}
	return err
}
