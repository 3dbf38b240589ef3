// Package backups has the commands on backups and archives.
package backups

import (
	"fmt"
	"net/url"
	"strconv"

	"hubledger/services/cmd/console"
	"hubledger/services/server/backup"
)

// Backup are the commands on backups.
type Backup struct {
	Make   makeCmd   `cmd:"" default:"withargs" help:"Back up the running hub to a directory."`
	Verify verifyCmd `cmd:"" help:"Compare all of a backup or an archive with its hashes and with what was signed. Needs no hub."`
	Ls     lsCmd     `cmd:"" help:"List the backups in a directory that can be restored. Needs no hub."`
}

type makeCmd struct {
	Dir            string `arg:"" help:"Directory of the backup; what it has from an earlier one is kept and not written again." type:"path"`
	WithoutSecrets bool   `help:"Leave out password hashes, signing keys and the other secrets."`
	Keep           int    `help:"How many backups in the directory can be restored; what only older ones need is removed. 0: the last one, beside those that are kept already, and no blob is removed." default:"0"`
}

func (c *makeCmd) Help() string {
	return `The hub, which has to run, writes the backup while it serves, with its own rights: the log in segments that never change, the secrets as
they are, encrypted, and the blobs. The key file of the secrets is not in it: keep a copy of that elsewhere. Garbage
collection rests meanwhile. ` + "`hubledger restore`" + ` makes a hub of it.`
}

func (c *makeCmd) Run(s *console.Session) error {
	if c.Keep < 0 {
		return fmt.Errorf("--keep must not be negative")
	}
	q := url.Values{"dir": {c.Dir}, "keep": {strconv.Itoa(c.Keep)}}
	if c.WithoutSecrets {
		q.Set("without-secrets", "1")
	}
	made, err := run(s, "/backup", "backing up", q)
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

// run lets the running hub write to a directory.
func run(s *console.Session, path, label string, q url.Values) (made backup.Summary, err error) {
	bar := s.Bar(label)
	err = console.Items(s, "POST", path, q, bar, func(got backup.Summary) error {
		made = got
		return nil
	})
	bar.End()
	return made, err
}

type lsCmd struct {
	Dir string `arg:"" help:"Directory of a backup." type:"path"`
}

func (c *lsCmd) Run(s *console.Session) error {
	list, err := backup.Points(c.Dir)
	if err != nil {
		return fmt.Errorf("%s is no complete backup: %w", c.Dir, err)
	}
	var rows [][]string
	for _, b := range list {
		if s.JSON {
			if err := s.Print(b); err != nil {
				return err
			}
		}
		rows = append(rows, []string{b.ID, console.Time(&b.Time), strconv.FormatUint(b.Events, 10), strconv.Itoa(b.Secrets), strconv.Itoa(b.Blobs), console.Size(b.BlobBytes)})
	}
	if s.JSON {
		return nil
	}
	return s.Table([]string{"BACKUP", "TIME", "EVENTS", "SECRETS", "BLOBS", "SIZE"}, rows)
}
