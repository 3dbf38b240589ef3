package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/tree"
	"hubledger/services/audit/verify"
	"hubledger/services/cmd/console"
	"hubledger/services/server/readmodel"
	"hubledger/streams/disk"
	"hubledger/streams/evt"
	"hubledger/streams/restore"
)

type repairCmd struct {
	Key         string `help:"Public key that you know to be the log's: a file, or the key itself. Without it the one in the data directory is believed." placeholder:"KEY"`
	PostgresURL string `name:"postgres-url" help:"PostgreSQL database that has the journal." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
}

func (repairCmd) Help() string {
	return `Does nothing to a log that is whole. A damaged or missing one is rebuilt from the journal, but only when every event of the journal
has its leaf and they lead to the root that was signed last; what is rebuilt is compared with both. No event is lost:
otherwise nothing is changed, and ` + "`hubledger events restore`" + ` says what can be done. The log is a new generation; damaged files
and old projections are moved aside. Exit code 4: it cannot be repaired so.`
}

func (c *repairCmd) Run(s *console.Session) error {
	lock, err := disk.LockDir(s.Data)
	if errors.Is(err, disk.ErrLocked) {
		return fmt.Errorf("%s is in use: stop the hub first", s.Data)
	}
	if err != nil {
		return fmt.Errorf("there is no data directory: %w; name it with --data", err)
	}
	defer lock.Release()
	defer s.OwnFiles("registry")() // which holds the blobs, too many to look at
	r, err := c.open(s)
	if err != nil {
		return err
	}
	if r.journal != nil {
		defer r.journal.Close()
	}
	found, err := r.damage(s)
	if err != nil {
		return err
	}
	if found == "" {
		if s.JSON {
			return s.Print(map[string]any{"repaired": false})
		}
		_, err := fmt.Fprintln(s.Out, "There is nothing to repair: the log, the journal, the tree and the checkpoint agree.")
		return err
	}
	return r.repair(s, lock, found)
}

// A repairing is the repair of one data directory.
type repairing struct {
	repairCmd
	generation string
	log        *stoppedLog           // nil: its files are gone
	journal    projections.Store     // nil: there is none
	signed     checkpoint.Checkpoint // the last one; of no events when nothing was signed
	keys       checkpoint.Keys
}

func (c *repairCmd) open(s *console.Session) (r *repairing, err error) {
	g, err := evt.ReadGeneration(s.Data)
	if err == nil && g == nil {
		err = fmt.Errorf("%s is not the data directory of a hub that has its own log", s.Data)
	}
	if err != nil {
		return nil, err
	}
	r = &repairing{repairCmd: *c, generation: g.ID}
	if c.Key != "" {
		if r.keys, err = readKeys(c.Key); err != nil {
			return nil, err
		}
	}
	dir := tree.Of(s.Data, g.ID)
	text, signed, err := dir.Signed()
	switch {
	case err == nil && r.keys != nil:
		signed, err = checkpoint.Open(text, r.keys)
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("the last signed checkpoint: %w", err)
	}
	r.signed = signed
	if blocks, err := evt.Blocks(s.Data); err != nil {
		return nil, err
	} else if len(blocks) > 0 {
		if r.log, err = openStopped(s.Context, s.Data); err != nil {
			return nil, err
		}
	}
	r.journal, err = openJournal(s.Context, s.Data, c.PostgresURL, g.ID)
	return r, err
}

// damage says what is wrong with the log, "" for nothing. It is an error when something is
// wrong that is not the log.
func (r *repairing) damage(s *console.Session) (string, error) {
	if r.log == nil {
		return "the files of the log are missing", nil
	}
	// As a start sees it: a replacement may have been interrupted before generation.json was written.
	switch config, err := evt.StoredConfig(s.Data); {
	case err != nil:
		return fmt.Sprintf("the configuration of the log's stream cannot be read: %v", err), nil
	case config.Metadata[evt.MetaGeneration] != r.generation:
		return fmt.Sprintf("the files of the log are of generation %s, generation.json says %s", config.Metadata[evt.MetaGeneration], r.generation), nil
	}
	report, err := r.compare(s, r.log, tree.Of(s.Data, r.generation), nil)
	if err != nil || len(report.Findings) == 0 {
		return "", err
	}
	found := report.Findings[0].String()
	if r.log.damage == nil && r.log.last == r.log.whole && uint64(r.signed.N) <= r.log.last && r.signed.N > 0 {
		root, err := rootOf(leavesOf(s.Context, r.log), r.signed.N)
		if err == nil && root == r.signed.Hash {
			err = &console.ExitError{Err: fmt.Errorf("%s. The log itself is the one that was signed: a start makes the tree anew, and the journal as well once %s is moved away", found, "projections/"), Code: console.ExitDiff}
		}
		if err != nil {
			return "", err
		}
	}
	return found, nil
}

// compare compares a log with the journal.
func (r *repairing) compare(s *console.Session, log *stoppedLog, dir tree.Dir, since *checkpoint.Checkpoint) (*verify.Report, error) {
	bar := s.Bar("verifying")
	defer bar.End()
	config := verify.Config{Last: log.last, Log: log.read, Dir: dir, Keys: r.keys, Since: since, Progress: func(done, total uint64) { bar.Set(int64(done), int64(total), "events") }}
	if r.journal != nil {
		config.Journal = r.journal.DB()
	}
	return verify.Run(s.Context, config)
}

func (r *repairing) repair(s *console.Session, lock *disk.Lock, found string) error {
	if err := r.checkJournal(s.Context); err != nil {
		return &console.ExitError{Err: fmt.Errorf("%s, and %w: restore a backup, or see what `hubledger events restore` can save", found, err), Code: console.ExitDiff}
	}
	from := eventsRestoreCmd{PostgresURL: r.PostgresURL}
	known, journals := from.known(s)
	bar := s.Bar("rebuilding the log")
	made, err := from.restore(s.Context, restore.Config{Dir: s.Data, Lock: lock, Logger: slog.New(slog.DiscardHandler), Known: known,
		Progress: func(_ string, done, total int64) { bar.Set(done, total, "") }}, journals)
	bar.End()
	if err != nil {
		return err
	}
	log, err := openStopped(s.Context, s.Data)
	if err != nil {
		return err
	}
	var since *checkpoint.Checkpoint
	if r.signed.N > 0 {
		since = &r.signed
	}
	report, err := r.compare(s, log, tree.Of(s.Data, log.generation), since)
	if err != nil {
		return err
	}
	if len(report.Findings) > 0 { // restore.Run compares what it has written, so this says that disks lie
		return &console.ExitError{Err: fmt.Errorf("what was rebuilt is not right: %s; the old files are in %s", report.Findings[0], made.Aside), Code: console.ExitDiff}
	}
	aside, err := readmodel.PutAside(s.Context, s.Data, r.PostgresURL, made.Generation.ID)
	if err != nil {
		return fmt.Errorf("the log is repaired, but the projections of the old one could not be moved aside: %w", err)
	}
	if s.JSON {
		return s.Print(map[string]any{"repaired": true, "found": found, "generation": made.Generation, "events": made.Events, "root": report.Root, "signed": r.signed.N, "aside": made.Aside, "projectionsAside": aside})
	}
	fmt.Fprintf(s.Out, "Found: %s.\nThe log has %d events again, as generation %s, which follows %s.\n", found, made.Events, made.Generation.ID, r.generation)
	if r.signed.N > 0 {
		fmt.Fprintf(s.Out, "It begins with the %d events that were signed.\n", r.signed.N)
	}
	if made.Aside != "" {
		fmt.Fprintf(s.Out, "The damaged files are in %s.\n", made.Aside)
	}
	_, err = fmt.Fprintln(s.Out, "Start the hub: it rebuilds its projections.")
	return err
}

// checkJournal says why the log cannot be rebuilt from the journal.
func (r *repairing) checkJournal(ctx context.Context) error {
	if r.journal == nil {
		return errors.New("there is no journal; if it is in PostgreSQL, name the database with --postgres-url")
	}
	last, err := journal.Last(ctx, r.journal.DB())
	if err != nil {
		return err
	}
	if last < uint64(r.signed.N) {
		return fmt.Errorf("the journal ends at event %d, and %d events were signed", last, r.signed.N)
	}
	root, err := rootOf(func(yield func(events.Leaf, error) bool) {
		for e, err := range entries(ctx, r.journal) {
			if err == nil && events.LeafOf(&e.Event) != e.Leaf {
				err = fmt.Errorf("the journal is damaged, too: its event %d does not match its leaf", e.Event.Seq)
			}
			if !yield(e.Leaf, err) || err != nil {
				return
			}
		}
	}, r.signed.N)
	if err == nil && root != r.signed.Hash && r.signed.N > 0 {
		err = fmt.Errorf("the journal is damaged, too: its first %d events are not those that were signed", r.signed.N)
	}
	return err
}

// leavesOf are the leaves of a log in its files.
func leavesOf(ctx context.Context, log *stoppedLog) iter.Seq2[events.Leaf, error] {
	return func(yield func(events.Leaf, error) bool) {
		enough := errors.New("enough")
		err := log.read(ctx, func(e *events.Event) error {
			if !yield(events.LeafOf(e), nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(events.Leaf{}, err)
		}
	}
}

// rootOf reads all leaves, and returns the root hash of the first n.
func rootOf(leaves iter.Seq2[events.Leaf, error], n int64) (root tlog.Hash, err error) {
	var edge tree.Edge
	for leaf, err := range leaves {
		if err != nil {
			return root, err
		}
		if edge.Size() < n {
			if err := edge.Add(tlog.Hash(leaf), func(int, int64, []byte) error { return nil }); err != nil {
				return root, err
			}
		}
	}
	if edge.Size() > 0 {
		root = edge.Root()
	}
	return root, nil
}
