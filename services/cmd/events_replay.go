package cmd

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"

	"hubledger/events"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/cloudevent"
	"hubledger/services/server/backup"
	"hubledger/streams/restore"
)

type eventsReplayCmd struct {
	File string `arg:"" help:"File of hubledger events export, with all events." type:"path"`
}

func (c *eventsReplayCmd) Help() string {
	return `Makes a hub in the data directory named by --data, which must be empty or not there, whose log has the events of the file: each with its
sequence, its time and its leaf. Started, it builds its projections and answers as the hub did of which they are. Secrets, such as
passwords, and blobs are not events: set a password with ` + "`hubledger users reset-password NAME`" + `, and copy with ` + "`hubledger backup`" + ` what is to be pulled.`
}

func (c *eventsReplayCmd) Run(s *console.Session) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := backup.CheckEmpty(s.Data); err != nil {
		return err
	}
	bar := s.Bar("replaying")
	read := &counted{r: f, total: info.Size(), progress: func(done, total int64) { bar.Set(done, total, "bytes") }}
	defer s.OwnFiles()()
	r, err := restore.Run(s.Context, restore.Config{Dir: s.Data, Logger: slog.New(slog.DiscardHandler)}, restore.Copy{Entries: replayed(read)})
	bar.End()
	if err != nil {
		return err
	}
	if s.JSON {
		return s.Print(map[string]any{"generation": r.Generation.ID, "events": r.Events})
	}
	_, err = fmt.Fprintf(s.Out, "Replayed %d events in %s, as generation %s of the log. Start it: hubledger serve --data %s\n", r.Events, s.Data, r.Generation.ID, s.Data)
	return err
}

// replayed are the events of a file, which has every one from the first on.
func replayed(file io.Reader) iter.Seq2[restore.Entry, error] {
	return func(yield func(restore.Entry, error) bool) {
		in, next := cloudevent.NewReader(file), uint64(1)
		for ; ; next++ {
			e, err := in.Next()
			if errors.Is(err, io.EOF) && next == 1 {
				err = errors.New("the file has no events")
			} else if errors.Is(err, io.EOF) {
				return
			}
			if err == nil && e.Seq != next {
				err = fmt.Errorf("event %d is not in the file, where event %d follows: export without a filter, from the first event on", next, e.Seq)
			}
			if !yield(restore.Entry{Event: e, Leaf: events.LeafOf(&e)}, err) || err != nil {
				return
			}
		}
	}
}

// A counted reader tells how much was read.
type counted struct {
	r           io.Reader
	done, total int64
	progress    func(done, total int64)
}

func (c *counted) Read(p []byte) (n int, err error) {
	n, err = c.r.Read(p)
	c.done += int64(n)
	c.progress(c.done, c.total)
	return n, err
}
