package cmd

import (
	"fmt"
	"strings"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/adminsocket"
)

type blobsCmd struct {
	Verify blobsVerifyCmd `cmd:"" help:"Read and hash every blob, and list the damaged ones with the images that they break. Pushing a damaged blob again repairs it."`
}

type blobsVerifyCmd struct{}

func (blobsVerifyCmd) Run(s *console.Session) error {
	found := 0
	err := console.Items(s, "POST", "/blobs/verify", nil, s.Bar("verifying"), func(d adminsocket.DamagedBlob) error {
		found++
		if s.JSON {
			return nil
		}
		fmt.Fprintf(s.Out, "%s  %s\n", d.Digest, d.Problem)
		for _, i := range d.Breaks {
			name := i.Repository + "@" + console.ShortDigest(i.Digest.String())
			if len(i.Tags) > 0 {
				name += " (" + strings.Join(i.Tags, ", ") + ")"
			}
			fmt.Fprintln(s.Out, "  breaks", name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if found > 0 {
		return &console.ExitError{Err: fmt.Errorf("%d damaged blobs: push the images that they break again to repair them", found), Code: console.ExitDiff}
	}
	if !s.JSON {
		fmt.Fprintln(s.Out, "Every blob matches its digest.")
	}
	return nil
}
