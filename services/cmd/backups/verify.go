package backups

import (
	"errors"
	"fmt"
	"os"

	"hubledger/services/audit/checkpoint"
	"hubledger/services/cmd/console"
	"hubledger/services/server/backup"
)

type verifyCmd struct {
	Dir string `arg:"" help:"Directory of a backup or an archive, or s3://BUCKET/PREFIX of an archive."`
	Key string `help:"File of the public key that you know to be the log's, as hubledger checkpoint --key prints it. Without it the one in the directory is believed." type:"path" placeholder:"FILE"`
}

func (c *verifyCmd) Help() string {
	return `Reads all of it: every segment of the log, with the Merkle tree over all events as each backup has it and as it was signed; the
secrets, as far as that goes without their key; and every blob. Exit code 0: all is whole; 4: something is damaged.`
}

func (c *verifyCmd) Run(s *console.Session) error {
	var keys checkpoint.Keys
	if c.Key != "" {
		text, err := os.ReadFile(c.Key)
		if err == nil {
			keys, err = checkpoint.ParseKeys(string(text))
		}
		if err != nil {
			return fmt.Errorf("--key: %w", err)
		}
	}
	return read(s, c.Dir, func(dir string) error { return c.verify(s, dir, keys) })
}

func (c *verifyCmd) verify(s *console.Session, dir string, keys checkpoint.Keys) error {
	bar := s.Bar("verifying")
	v, err := backup.Verify(s.Context, dir, keys, bar.Set)
	bar.End()
	if errors.Is(err, backup.ErrDamaged) {
		return &console.ExitError{Err: err, Code: console.ExitDiff}
	}
	if err != nil {
		return err
	}
	if s.JSON {
		err = s.Print(v)
	} else {
		signed := "nothing yet"
		if v.Signed > 0 {
			signed = fmt.Sprintf("%d events of %s", v.Signed, v.Origin)
		}
		err = s.Facts([][]string{{"backups", fmt.Sprint(v.Points)}, {"events", fmt.Sprint(v.Events)}, {"root", v.Root}, {"signed", signed}, {"secrets", fmt.Sprint(v.Secrets)},
			{"blobs", fmt.Sprintf("%d (%s)", v.Blobs, console.Size(v.BlobBytes))}})
		for _, d := range v.Damaged {
			fmt.Fprintf(s.Out, "Damaged or missing is blob %s.\n", d)
		}
	}
	if n := len(v.Damaged); n > 0 && err == nil {
		err = &console.ExitError{Err: fmt.Errorf("%d blobs are damaged or missing: remove what is left of them from the directory and back up again, while the hub has them", n), Code: console.ExitDiff}
	}
	if err != nil || s.JSON {
		return err
	}
	text := "All of it is whole."
	if c.Key == "" && v.Signed > 0 {
		text += " The key is the one in the directory: to compare with the one that you know, give it by --key."
	}
	_, err = fmt.Fprintln(s.Out, text)
	return err
}
