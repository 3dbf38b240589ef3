package backups

import (
	"fmt"
	"net/url"

	"hubledger/services/cmd/console"
)

// Archive is the command that copies the log.
type Archive struct {
	Dir string `arg:"" help:"Directory of the archive; segments that it has are kept and not written again." type:"path"`
}

// Help is called by kong.
func (c *Archive) Help() string {
	return `The hub, which has to run, writes its log in segments that never change: events as lines of JSON, compressed by zstd, each segment
with its hash, the range of the Merkle tree that it is, and beside them the last signed checkpoint. Run it again to add what is
new. ` + "`hubledger backup verify DIR`" + ` compares an archive with what was signed; ` + "`hubledger restore DIR`" + ` makes a hub of it, without secrets and blobs.`
}

// Run is called by kong.
func (c *Archive) Run(s *console.Session) error {
	made, err := run(s, "/archive", "archiving", url.Values{"dir": {c.Dir}})
	if err != nil || s.JSON {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "Archived %d events to %s; new are %d. Root: %s\n", made.Events, c.Dir, made.Added.Events, made.Root)
	return err
}
