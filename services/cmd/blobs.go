package cmd

import (
	"fmt"
	"strings"

	"hubledger/services/internal/adminsocket"
)

type blobsCmd struct {
	Verify blobsVerifyCmd `cmd:"" help:"Read and hash every blob, and list the damaged ones with the images that they break. Pushing a damaged blob again repairs it."`
}

type blobsVerifyCmd struct{}

func (blobsVerifyCmd) Run(s *session) error {
	found := 0
	err := items(s, "POST", "/blobs/verify", nil, s.bar("verifying"), func(d adminsocket.DamagedBlob) error {
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
		return &exitError{fmt.Errorf("%d damaged blobs: push the images that they break again to repair them", found), exitDiff}
	}
	if !s.json {
		fmt.Fprintln(s.out, "Every blob matches its digest.")
	}
	return nil
}
