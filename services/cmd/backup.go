package cmd

import (
	"fmt"
	"net/url"
	"time"

	"hubledger/services/cmd/console"
	"hubledger/services/server/backup"
)

type backupCmd struct {
	Dir            string `arg:"" help:"Directory of the backup; what it has from an earlier one is kept and not written again." type:"path"`
	WithoutSecrets bool   `help:"Leave out password hashes, signing keys and the other secrets."`
}

func (c *backupCmd) Help() string {
	return `The hub, which has to run, writes the backup while it serves, with its own rights: the log in segments that never change, the secrets as
they are, encrypted, and the blobs. The key file of the secrets is not in it: keep a copy of that elsewhere. Garbage
collection rests meanwhile. ` + "`hubledger restore`" + ` makes a hub of it.`
}

func (c *backupCmd) Run(s *console.Session) error {
	q := url.Values{"dir": {c.Dir}}
	if c.WithoutSecrets {
		q.Set("without-secrets", "1")
	}
	bar := s.Bar("backing up")
	var made backup.Summary
	err := console.Items(s, "POST", "/backup", q, bar, func(got backup.Summary) error {
		made = got
		return nil
	})
	bar.End()
	if err != nil || s.JSON {
		return err
	}
	fmt.Fprintf(s.Out, "Backed up %d events, %d secrets and %d blobs (%s) to %s; new are %d events and %d blobs (%s).\n", made.Events, made.Secrets, made.Blobs,
		console.Size(made.BlobBytes), c.Dir, made.Added.Events, made.Added.Blobs, console.Size(made.Added.BlobBytes))
	if n := len(made.Damaged); n > 0 {
		return fmt.Errorf("%d blobs are damaged in the hub and not in the backup, the first is %s; `hubledger blobs verify` says which images need them", n, made.Damaged[0])
	}
	return nil
}

type restoreCmd struct {
	Dir        string `arg:"" help:"Directory of a backup." type:"path"`
	AcceptLoss bool   `help:"Leave out blobs that the backup has lost, and name them."`
}

func (c *restoreCmd) Help() string {
	return `Makes a hub in the data directory named by --data, which must be empty or not there, and compares all of the backup with its hashes while it does. The
log is a new generation that names the old one; every event keeps its sequence and its leaf, so that proofs stay valid. Put the key
file of the secrets there before the hub is started (secrets.key, or what --secrets-key-file names).`
}

func (c *restoreCmd) Run(s *console.Session) error {
	if _, err := backup.ReadSummary(c.Dir); err != nil {
		return fmt.Errorf("%s is no complete backup: %w", c.Dir, err)
	}
	defer s.OwnFiles()()
	bar := s.Bar("restoring")
	began := time.Now()
	r, err := backup.Restore(s.Context, c.Dir, s.Data, backup.Options{AcceptLoss: c.AcceptLoss, Progress: func(done, total int64, unit string) { bar.Set(done, total, unit) }})
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
