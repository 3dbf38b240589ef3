package restore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"

	"hubledger/events"
	"hubledger/streams/blockfile"
	"hubledger/streams/evt"
)

// oldFiles are those of a log that is about to be replaced, and what is known of it.
type oldFiles struct {
	generation string
	last       uint64            // the highest sequence it is known to have had
	witness    string            // what knows that
	blocks     []blockfile.Block // none when they are not those of that generation
}

func (o *oldFiles) knows(who string, seq uint64) {
	if seq > o.last {
		o.last, o.witness = seq, who
	}
}

// readOldFiles reads what is left of the log; copied is the generation of the
// copy that it is to be made anew from, "" for none.
func readOldFiles(ctx context.Context, c Config, copied string) (*oldFiles, error) {
	o := &oldFiles{}
	g, err := evt.ReadGeneration(c.Dir)
	if err != nil {
		c.Logger.Warn("the generation of the old log is not known", "error", err)
	} else if g != nil {
		o.generation = g.ID
	}
	noted := o.generation
	config, err := evt.StoredConfig(c.Dir)
	stored, before := config.Metadata[evt.MetaGeneration], config.Metadata[evt.MetaPrevious]
	if err != nil {
		stored, before = "", ""
	}
	// A replacement that ended before generation.json was written has left a whole
	// log whose previous generation is the one in that file.
	if o.generation == "" || before == o.generation {
		o.generation = stored
	}
	if o.generation == "" {
		o.generation = copied
	}
	if stored == o.generation || stored == "" {
		if o.blocks, err = evt.Blocks(c.Dir); err != nil {
			return nil, err
		}
	} else {
		c.Logger.Warn("the old files are of another log; nothing is taken from them", "generation", stored)
	}
	err = blockfile.Salvage(o.blocks, func(r blockfile.Record) error {
		o.knows("a file of the old log", r.Seq)
		return nil
	})
	if err != nil {
		return nil, err
	}
	// A damaged record was an event, too, and nothing good may follow it.
	whole, err := blockfile.Verify(ctx, o.blocks, slog.New(slog.DiscardHandler), func(done, total int64) { c.Progress("checking the old log", done, total) })
	if found := (*blockfile.Damage)(nil); errors.As(err, &found) {
		o.knows("a damaged file of the old log", whole+1)
	} else if err != nil {
		return nil, err
	}
	previous := before
	if g != nil && g.ID == o.generation {
		previous = g.Previous
	}
	if copied != "" && copied != o.generation && copied != previous && o.last > 0 {
		return nil, fmt.Errorf("%w: it is of generation %q, the log is generation %q. Put the projections back that belong to the log", ErrForeign, copied, o.generation)
	}
	sealed := evt.ReadSeal(c.Dir)
	for _, k := range append([]Known{{"the seal of the last orderly stop", sealed.Generation, sealed.LastSeq}}, c.Known...) {
		if k.Generation != "" && (k.Generation == o.generation || k.Generation == noted || k.Generation == copied) {
			o.knows(k.Who, k.Seq)
		}
	}
	return o, nil
}

// after yields the readable events that follow a sequence without a gap. The
// files must agree with a copy that has events, wherever both can be read, and
// hold at least one of its recent ones: otherwise they are no continuation of
// it, and nothing is taken.
func (o *oldFiles) after(ctx context.Context, seq uint64, recent map[uint64]events.Leaf) iter.Seq2[events.Event, error] {
	agreed := len(recent) == 0
	return func(yield func(events.Event, error) bool) {
		err := blockfile.Salvage(o.blocks, func(r blockfile.Record) error {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			leaf, overlaps := recent[r.Seq]
			if !overlaps && r.Seq != seq+1 {
				return nil
			}
			e := evt.FromRecord(r)
			switch {
			case e.Check() != nil:
				return blockfile.ErrStop
			case overlaps && events.LeafOf(&e) != leaf:
				return blockfile.ErrStop
			case overlaps:
				agreed = true
				return nil
			case !agreed:
				return blockfile.ErrStop
			}
			seq++
			if !yield(e, nil) {
				return blockfile.ErrStop
			}
			return nil
		})
		if err != nil {
			yield(events.Event{}, err)
		}
	}
}
