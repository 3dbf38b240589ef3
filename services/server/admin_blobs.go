package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/adminsocket"
	"hubledger/services/registry/blobs"
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
