package server

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/projections/journal"
	"hubledger/services/internal/adminsocket"
	"hubledger/services/registry/blobs"
	"hubledger/services/server/backup"
)

func (n *Node) adminCollect(ctx context.Context, r *http.Request, a *adminResponse) error {
	if n.stores.Blobs == nil {
		return errNoBlobs
	}
	if err := n.log.ReadOnly(); err != nil {
		return err
	}
	window := n.UndeleteWindow
	if r.URL.Query().Get("now") != "" {
		window = 0
		if err := n.stores.Leases.EndReading(ctx); err != nil {
			return err
		}
	}
	total := n.stores.Blobs.Usage().Blobs
	c, err := n.registry.GC.Collect(ctx, window, func(seen int) { a.progress(int64(seen), total, "blobs") })
	if err != nil {
		return err
	}
	return a.item(c)
}

func (n *Node) adminVerify(ctx context.Context, _ *http.Request, a *adminResponse) error {
	if n.stores.Blobs == nil {
		return errNoBlobs
	}
	return n.registry.VerifyBlobs(ctx, func(p blobs.Progress) { a.progress(p.Bytes, p.TotalBytes, "bytes") },
		func(d digest.Digest, problem error, breaks []images.Image) error {
			return a.item(adminsocket.DamagedBlob{Digest: d, Problem: problem.Error(), Breaks: breaks})
		})
}

var errNoBlobs = errors.New("this node has no blobs, because it runs neither the service registry nor api: use a node that does")

// backupConfig is what a backup of this node is made of, as of all that the log has now.
func (n *Node) backupConfig(ctx context.Context) (backup.Config, error) {
	if n.stores.Blobs == nil {
		return backup.Config{}, errNoBlobs
	}
	if n.NATSURL != "" {
		return backup.Config{}, errors.New("the log is on NATS servers elsewhere: back it up with the tools of these")
	}
	c := backup.Config{Generation: n.log.Generation(), Stores: map[string]*blobs.Store{}, Rest: n.registry.GC.Rest, Progress: func(int64, int64, string) {}}
	c.Stores["registry"] = n.stores.Blobs
	if n.archive != nil {
		c.Stores[archived] = n.archive.store
	}
	model := n.models.Of(&journal.Projection)
	last, err := n.log.LastSeq(ctx)
	if err == nil {
		err = model.Wait(ctx, last)
	}
	if err == nil && model.HasParked() {
		err = errors.New("the journal has parked events: it is no copy of the log")
	}
	if err != nil {
		return c, err
	}
	c.Journal = model
	if n.secrets != nil {
		c.Secrets = n.secrets.Sealed
	}
	return c, nil
}

func (n *Node) adminBackup(ctx context.Context, r *http.Request, a *adminResponse) error {
	dir := r.URL.Query().Get("dir")
	if !filepath.IsAbs(dir) {
		return errors.New("name the directory of the backup by its whole path")
	}
	c, err := n.backupConfig(ctx)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("without-secrets") != "" {
		c.Secrets = nil
	} else if c.Secrets == nil {
		return errors.New("the secrets cannot be read while the log is read-only: back up without them, or find out why first, by `hubledger status`")
	}
	c.Progress = a.progress
	s, err := backup.Run(ctx, c, dir)
	if err != nil {
		return err
	}
	return a.item(s)
}
