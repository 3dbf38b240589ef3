package backups

import (
	"fmt"
	"time"

	"hubledger/services/cmd/console"
	"hubledger/services/server/backup"
)

// Restore is the command that makes a hub of a backup.
type Restore struct {
	Dir        string `arg:"" help:"Directory of a backup or an archive, or s3://BUCKET/PREFIX of an archive."`
	Backup     string `help:"Which of the backups that the directory keeps; see hubledger backup ls. Default: the last one." placeholder:"BACKUP"`
	AcceptLoss bool   `help:"Leave out blobs that the backup has lost, and name them."`
}

// Help is called by kong.
func (c *Restore) Help() string {
	return `Makes a hub in the data directory named by --data, which must be empty or not there, and compares all of the backup with its hashes while it does. The
log is a new generation that names the old one; every event keeps its sequence and its leaf, so that proofs stay valid. Put the key
file of the secrets there before the hub is started (secrets.key, or what --secrets-key-file names).`
}

// Run is called by kong.
func (c *Restore) Run(s *console.Session) error {
	return read(s, c.Dir, func(dir string) error { return c.restore(s, dir) })
}

func (c *Restore) restore(s *console.Session, dir string) error {
	defer s.OwnFiles()()
	bar := s.Bar("restoring")
	began := time.Now()
	r, err := backup.Restore(s.Context, dir, s.Data, backup.Options{Point: c.Backup, AcceptLoss: c.AcceptLoss, Progress: bar.Set})
	bar.End()
	if err != nil {
		return err
	}
	if s.JSON {
		return s.Print(r)
	}
	fmt.Fprintf(s.Out, "Restored %d events, %d secrets and %d blobs (%s) in %s, as generation %s of the log, which follows %s.\n", r.Events, r.Secrets, r.Blobs,
		console.Size(r.BlobBytes), time.Since(began).Round(time.Second), r.Generation, r.Previous)
	for _, d := range r.Lost {
		fmt.Fprintf(s.Out, "Lost is blob %s: the images that need it have to be pushed again.\n", d)
	}
	_, err = fmt.Fprintf(s.Out, "Put the key file of the secrets into place, then start it: hubledger serve --data %s\n", s.Data)
	return err
}
