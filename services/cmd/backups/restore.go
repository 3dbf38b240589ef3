package backups

import (
	"cmp"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"hubledger/services/cmd/console"
	"hubledger/services/server/backup"
)

// Restore is the command that makes a hub of a backup.
type Restore struct {
	Dir        string   `arg:"" help:"Directory of a backup or an archive, or s3://BUCKET/PREFIX of an archive."`
	Backup     string   `help:"Which of the backups that the directory keeps; see hubledger backup ls. Default: the last one." placeholder:"BACKUP"`
	Redact     []uint64 `help:"Sequences of events, separated by commas, whose data is left out: its hash and the event's leaf stand in its place, so that every proof stays valid." placeholder:"SEQ"`
	Reason     string   `help:"With --redact: why, in a line that stays in the log. Do not repeat what is taken away." placeholder:"TEXT"`
	By         string   `help:"With --redact: who does it, as the log says for ever; nobody checks it. Default: the user of the operating system." placeholder:"NAME"`
	AcceptLoss bool     `help:"Leave out blobs that the backup has lost, and name them."`
}

// Help is called by kong.
func (c *Restore) Help() string {
	return `Makes a hub in the data directory named by --data, which must be empty or not there, and compares all of the backup with its hashes while it does. The
log is a new generation that names the old one; every event keeps its sequence and its leaf, so that proofs stay valid. Put the key
file of the secrets there before the hub is started (secrets.key, or what --secrets-key-file names).

What an event says is taken away by --redact, for good when the backup is destroyed: read models are as if it had not happened. The first new
event of the log says which events, who did it, and why. An image whose push
was redacted cannot be pulled any more, and what a repository, an account or an application was created by should not be redacted. Nor what took something away: a revoked token, a withdrawn
role or a disabled account would be good again.`
}

// Run is called by kong.
func (c *Restore) Run(s *console.Session) error {
	return read(s, c.Dir, func(dir string) error { return c.restore(s, dir) })
}

func (c *Restore) restore(s *console.Session, dir string) error {
	defer s.OwnFiles()()
	redaction := backup.Redaction{Events: c.Redact, Reason: c.Reason, By: cmp.Or(c.By, loginName())}
	bar := s.Bar("restoring")
	began := time.Now()
	r, err := backup.Restore(s.Context, dir, s.Data, backup.Options{Point: c.Backup, Redaction: redaction, AcceptLoss: c.AcceptLoss, Progress: bar.Set})
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
	if len(r.Redacted) > 0 {
		fmt.Fprintf(s.Out, "Redacted are the events %s, as event %d says: `hubledger verify` names them. The backup still has what they said.\n", sequences(r.Redacted), r.Redaction)
	}
	_, err = fmt.Fprintf(s.Out, "Put the key file of the secrets into place, then start it: hubledger serve --data %s\n", s.Data)
	return err
}

func sequences(list []uint64) string {
	texts := make([]string, len(list))
	for k, seq := range list {
		texts[k] = strconv.FormatUint(seq, 10)
	}
	return strings.Join(texts, ", ")
}

// loginName is whom the operating system knows as the one who runs the command, "" for nobody.
func loginName() string {
	if os.Geteuid() == 0 && os.Getenv("SUDO_USER") != "" {
		return os.Getenv("SUDO_USER")
	}
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
