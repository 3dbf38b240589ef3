package cmd

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/registry/blobs"
)

type blobsCmd struct {
	Verify blobsVerifyCmd `cmd:"" help:"Read and hash every blob; damaged ones are listed with the images that they break. The next push of a damaged blob repairs it."`
}

type blobsVerifyCmd struct{}

// A damagedBlob is what verify found.
type damagedBlob struct {
	Digest  digest.Digest  `json:"digest"`
	Problem string         `json:"problem"`
	Breaks  []images.Image `json:"breaks"` // live images that need it
}

func (blobsVerifyCmd) Run(s *session) error {
	found := 0
	err := items(s, "POST", "/blobs/verify", nil, s.bar("verifying"), func(d damagedBlob) error {
		found++
		if s.json {
			return nil
		}
		fmt.Fprintf(s.out, "%s  %s\n", d.Digest, d.Problem)
		for _, i := range d.Breaks {
			name := i.Repository + "@" + short(i.Digest.String())
			if len(i.Tags) > 0 {
				name += " (" + strings.Join(i.Tags, ", ") + ")"
			}
			fmt.Fprintln(s.out, "  breaks", name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if found > 0 {
		return &exitError{fmt.Errorf("%d damaged; push the images that need them again to repair them", found), exitDiff}
	}
	if !s.json {
		fmt.Fprintln(s.out, "Every blob is what its digest says.")
	}
	return nil
}

func (h *hub) adminVerify(ctx context.Context, _ *http.Request, a *answer) error {
	return h.registry.VerifyBlobs(ctx, func(p blobs.Progress) { a.progress(p.Bytes, p.TotalBytes, "bytes") },
		func(d digest.Digest, problem error, breaks []images.Image) error {
			return a.item(damagedBlob{d, problem.Error(), breaks})
		})
}
