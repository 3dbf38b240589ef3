package backups

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/alecthomas/kong"

	"hubledger/services/cmd/backups/bucket"
	"hubledger/services/cmd/console"
	"hubledger/services/server/backup"
)

// Archive is the command that copies the log.
type Archive struct {
	Dir string `arg:"" help:"Directory of the archive, or s3://BUCKET/PREFIX; segments that it has are kept and not written again."`
}

// Help is called by kong.
func (c *Archive) Help() string {
	return `The hub, which has to run, writes its log in segments that never change: events as lines of JSON, compressed by zstd, each segment
with its hash, the range of the Merkle tree that it is, and beside them the last signed checkpoint. Run it again to add what is
new. ` + "`hubledger backup verify DIR`" + ` compares an archive with what was signed; ` + "`hubledger restore DIR`" + ` makes a hub of it, without secrets and blobs.

A bucket is that of any S3 server. The command, not the hub, has its keys: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, for a
server that is not Amazon's, AWS_ENDPOINT_URL_S3. What is new passes through the data directory, which needs room for it.`
}

// Run is called by kong.
func (c *Archive) Run(s *console.Session) error {
	var made backup.Summary
	var err error
	if strings.HasPrefix(c.Dir, bucket.Scheme) {
		made, err = toBucket(s, c.Dir)
	} else {
		c.Dir = kong.ExpandPath(c.Dir)
		made, err = run(s, "/archive", "archiving", url.Values{"dir": {c.Dir}})
	}
	if err != nil || s.JSON {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "Archived %d events to %s; new are %d. Root: %s\n", made.Events, c.Dir, made.Added.Events, made.Root)
	return err
}
