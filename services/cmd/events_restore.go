package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/services/audit/tree"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/operations"
	"hubledger/services/server/readmodel"
	"hubledger/streams/evt"
	"hubledger/streams/restore"
)

type eventsRestoreCmd struct {
	AcceptLoss  bool   `help:"Restore even if events are lost that the log is known to have had, or without a journal."`
	PostgresURL string `name:"postgres-url" help:"PostgreSQL database that has the journal." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
}

func (c *eventsRestoreCmd) Help() string {
	return `Use this command when the log guard does not trust the log. The hub must be
stopped. The log is rebuilt from the journal, its second copy, event by event
with the same sequence numbers and leaves, and from what its own files have after
the end of the journal. The damaged files and all projections are moved aside; the
next start rebuilds the projections. If a projection, the operational store or the
last orderly stop knows more events than can be restored, the command says how many
would be lost and changes nothing, unless --accept-loss is given.`
}

func (c *eventsRestoreCmd) Run(s *console.Session) error {
	if _, err := os.Stat(s.Data); err != nil {
		return fmt.Errorf("there is no data directory: %w; name it with --data", err)
	}
	defer s.OwnFiles("registry")() // which holds the blobs, too many to look at
	known, journals := c.known(s)
	b := s.Bar("restoring the log")
	config := restore.Config{Dir: s.Data, Logger: slog.New(slog.DiscardHandler), Known: known, AcceptLoss: c.AcceptLoss,
		Progress: func(_ string, done, total int64) { b.Set(done, total, "") }}
	r, err := c.restore(s.Context, config, journals)
	b.End()
	if err != nil {
		return err
	}
	aside, err := readmodel.PutAside(s.Context, s.Data, c.PostgresURL, r.Generation.ID)
	if err != nil {
		return fmt.Errorf("the log is restored, but the projections of the old log could not be moved aside: %w", err)
	}
	if s.JSON {
		return s.Print(map[string]any{"generation": r.Generation, "events": r.Events, "salvaged": r.Salvaged, "oldLast": r.OldLast, "aside": r.Aside, "projectionsAside": aside})
	}
	fmt.Fprintf(s.Out, "The log has %d events again, %d of them recovered from its damaged files.\n", r.Events, r.Salvaged)
	if r.OldLast > r.Events {
		fmt.Fprintf(s.Out, "Events %d to %d are lost: %s had event %d.\n", r.Events+1, r.OldLast, r.Witness, r.OldLast)
	}
	fmt.Fprintf(s.Out, "The restored log is generation %s, which follows %s.\n", r.Generation.ID, r.Generation.Previous)
	if r.Aside != "" {
		fmt.Fprintf(s.Out, "The old files are in %s.\n", r.Aside)
	}
	fmt.Fprintln(s.Out, "Start the hub: it rebuilds its projections. If the secrets were lost with the log, set passwords again with `hubledger users reset-password NAME`.")
	return nil
}

// A journalBuild is a journal that is stored somewhere.
type journalBuild struct {
	projections.Info
	storage projections.Storage
}

// known is what the projections and the operational stores of the data directory and
// of the database know of the log, and the journals among them, the best first. What
// cannot be read is warned of, because it may know more.
func (c *eventsRestoreCmd) known(s *console.Session) (known []restore.Known, journals []journalBuild) {
	urls := []string{""}
	if c.PostgresURL != "" {
		urls = append(urls, c.PostgresURL)
	}
	if g, err := evt.ReadGeneration(s.Data); err == nil && g != nil { // a damaged file is for restore.Run to judge
		_, c, err := tree.Of(s.Data, g.ID).Signed()
		if err == nil {
			known = append(known, restore.Known{Who: "the last signed checkpoint", Generation: g.ID, Seq: uint64(c.N)})
		} else if !errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(s.Err, "warning: the last signed checkpoint cannot be read, so a loss may go unnoticed: %v\n", err)
		}
	}
	for _, url := range urls {
		storage := readmodel.Storage(s.Data, url)
		builds, err := storage.List(s.Context)
		for _, b := range builds {
			known = append(known, restore.Known{Who: fmt.Sprintf("projection %s version %d", b.Name, b.Version), Generation: b.Generation, Seq: b.Position})
			if b.Name == journal.Projection.Name && b.Version == journal.Projection.Version && b.Position > 0 {
				journals = append(journals, journalBuild{b, storage})
			}
		}
		seen, serr := seenLog(s, url)
		known = append(known, seen)
		if err = errors.Join(err, serr); err != nil {
			fmt.Fprintf(s.Err, "warning: a record of how many events the log had could not be read, so a loss may go unnoticed: %v\n", err)
		}
	}
	log := ""
	if g, err := evt.ReadGeneration(s.Data); err == nil && g != nil { // a damaged file is for restore.Run to judge
		log = g.ID
	}
	bestFirst(journals, log)
	return known, journals
}

// bestFirst sorts journals: those of the log's generation, then the longest. One of an
// earlier generation, left in the storage that the hub does not use any more, may be
// longer, but has other events.
func bestFirst(journals []journalBuild, log string) {
	foreign := func(b journalBuild) int {
		if b.Generation != log {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(journals, func(a, b journalBuild) int {
		return cmp.Or(foreign(a)-foreign(b), cmp.Compare(b.Position, a.Position))
	})
}

// seenLog is what the operational store noted of the log. A store is not made.
func seenLog(s *console.Session, postgres string) (seen restore.Known, err error) {
	config := operations.Config{File: filepath.Join(s.Data, operations.FileName), PostgresURL: postgres}
	if _, err := os.Stat(config.File); postgres == "" && errors.Is(err, fs.ErrNotExist) {
		return seen, nil
	}
	store, err := operations.Open(s.Context, config)
	if err != nil {
		return seen, err
	}
	seen.Who = "the operational store"
	seen.Generation, seen.Seq, err = store.SeenLog(s.Context)
	return seen, errors.Join(err, store.Close())
}

func (c *eventsRestoreCmd) restore(ctx context.Context, config restore.Config, journals []journalBuild) (restore.Result, error) {
	if len(journals) == 0 {
		r, err := restore.Run(ctx, config, restore.Copy{})
		if lost := (*restore.LossError)(nil); errors.As(err, &lost) {
			err = fmt.Errorf("no journal was found: if it is in PostgreSQL, name the database with --postgres-url. Without it: %w", err)
		}
		return r, err
	}
	best := journals[0]
	store, err := best.storage.Open(ctx, &journal.Projection, projections.Options{Build: best.Build, ReadOnly: true, Logger: config.Logger})
	if err != nil {
		return restore.Result{}, fmt.Errorf("open the journal: %w", err)
	}
	defer store.Close()
	return restore.Run(ctx, config, restore.Copy{Generation: best.Generation, Entries: entries(ctx, store)})
}

// entries are all events of the journal with their leaves, in the order of the log.
func entries(ctx context.Context, store projections.Store) iter.Seq2[restore.Entry, error] {
	return func(yield func(restore.Entry, error) bool) {
		var after uint64
		for {
			list, err := journal.List(ctx, store.DB(), journal.Filter{After: after, Limit: 1000})
			if err != nil {
				yield(restore.Entry{}, err)
				return
			}
			if len(list) == 0 {
				return
			}
			for _, e := range list {
				if !yield(restore.Entry{Event: e.Event, Leaf: e.Leaf}, nil) {
					return
				}
				after = e.Seq
			}
		}
	}
}
