package cmd

import (
	"fmt"
	"strings"

	"hubledger/services/internal/adminsocket"
)

type blobsCmd struct {
	Verify blobsVerifyCmd `cmd:"" help:"Read and hash every blob; damaged ones are listed with the images that they break. The next push of a damaged blob repairs it."`
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
		return &exitError{fmt.Errorf("%d damaged; push the images that need them again to repair them", found), exitDiff}
	}
	if !s.json {
		fmt.Fprintln(s.out, "Every blob is what its digest says.")
	}
	return nil
}
