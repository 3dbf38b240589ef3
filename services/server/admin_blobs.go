package server

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/projections/journal"
	"hubledger/services/audit/tree"
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

// archiveConfig is what an archive of the log is made of, as of all that the log has now.
func (n *Node) archiveConfig(ctx context.Context) (backup.Config, error) {
	c := backup.Config{Generation: n.log.Generation(), Signed: n.signed, Progress: func(int64, int64, string) {}}
	model := n.models.Of(&journal.Projection)
	last, err := n.log.LastSeq(ctx)
	if err == nil {
		err = model.Wait(ctx, last)
	}
	if err == nil && model.HasParked() {
		err = errors.New("the journal has parked events: it is no copy of the log")
	}
	c.Journal = model
	return c, err
}

// signed is the last signed checkpoint of the log, with its keys; empty when there is none that
// can be read: a damaged one is a reason for a backup, and nothing that should prevent it.
func (n *Node) signed() (checkpoint, keys []byte) {
	dir := tree.Of(n.Data, n.log.Generation())
	checkpoint, _, err := dir.Signed()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var known []string
	if err == nil {
		known, err = dir.Keys()
	}
	if err != nil {
		n.Logger.Error("the backup is made without the last checkpoint, which cannot be read: see hubledger verify", "error", err)
		return nil, nil
	}
	return checkpoint, []byte(strings.Join(known, "\n") + "\n")
}

// backupConfig is what a backup of this node is made of, as of all that the log has now.
func (n *Node) backupConfig(ctx context.Context) (backup.Config, error) {
	if n.stores.Blobs == nil {
		return backup.Config{}, errNoBlobs
	}
	if n.NATSURL != "" {
		return backup.Config{}, errors.New("the log is on NATS servers elsewhere: back it up with the tools of these; `hubledger archive` copies the log alone")
	}
	c, err := n.archiveConfig(ctx)
	if err != nil {
		return c, err
	}
	c.Stores, c.Rest = map[string]*blobs.Store{"registry": n.stores.Blobs}, n.registry.GC.Rest
	if n.archive != nil {
		c.Stores[archived] = n.archive.store
	}
	if n.secrets != nil {
		c.Secrets = n.secrets.Sealed
	}
	return c, nil
}

func (n *Node) adminBackup(ctx context.Context, r *http.Request, a *adminResponse) error {
	q := r.URL.Query()
	dir, err := backupDir(q.Get("dir"))
	if err != nil {
		return err
	}
	c, err := n.backupConfig(ctx)
	if err != nil {
		return err
	}
	if q.Get("without-secrets") != "" {
		c.Secrets = nil
	} else if c.Secrets == nil {
		return errors.New("the secrets cannot be read while the log is read-only: back up without them, or find out why first, by `hubledger status`")
	}
	if keep := q.Get("keep"); keep != "" {
		if c.Keep, err = strconv.Atoi(keep); err != nil || c.Keep < 0 {
			return errors.New("keep is a number of backups")
		}
	}
	c.Progress = a.progress
	s, err := backup.Run(ctx, c, dir)
	if err != nil {
		return err
	}
	return a.item(s)
}

func (n *Node) adminArchive(ctx context.Context, r *http.Request, a *adminResponse) error {
	dir, err := backupDir(r.URL.Query().Get("dir"))
	if err != nil {
		return err
	}
	c, err := n.archiveConfig(ctx)
	if err != nil {
		return err
	}
	c.Progress = a.progress
	s, err := backup.Run(ctx, c, dir)
	if err != nil {
		return err
	}
	return a.item(s)
}

// backupDir is the directory of a backup, which the hub makes with its own rights.
func backupDir(dir string) (string, error) {
	if !filepath.IsAbs(dir) {
		return "", errors.New("name the directory of the backup by its whole path")
	}
	if _, err := os.Stat(filepath.Join(dir, "generation.json")); err == nil {
		return "", errors.New("this is the data directory of a hub: name another one for the backup")
	}
	return dir, nil
}
