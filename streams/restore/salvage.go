package restore

import (
	"context"
	"iter"

	"hubledger/events"
	"hubledger/streams/blockfile"
	"hubledger/streams/evt"
)

// oldFiles are those of a log that is about to be replaced.
type oldFiles struct {
	generation string
	last       uint64            // the highest sequence it is known to have had
	blocks     []blockfile.Block // none when they are not those of that generation
}

func readOldFiles(c Config) (*oldFiles, error) {
	o := &oldFiles{}
	g, err := evt.ReadGeneration(c.Dir)
	if err != nil {
		c.Logger.Warn("the generation of the old log is not known", "error", err)
	} else if g != nil {
		o.generation = g.ID
	}
	if s := evt.ReadSeal(c.Dir); s.Generation == o.generation {
		o.last = s.LastSeq
	}
	var stored, before string
	if config, err := evt.StoredConfig(c.Dir); err == nil {
		stored, before = config.Metadata[evt.MetaGeneration], config.Metadata[evt.MetaPrevious]
	}
	// A replacement that ended before generation.json was written has left a whole
	// log whose previous generation is the one in that file.
	if o.generation == "" || before == o.generation {
		o.generation = stored
	}
	if stored != o.generation {
		c.Logger.Warn("the old files are of another log; nothing is taken from them", "generation", stored)
		return o, nil
	}
	if o.blocks, err = evt.Blocks(c.Dir); err != nil {
		return nil, err
	}
	err = blockfile.Salvage(o.blocks, func(r blockfile.Record) error {
		o.last = max(o.last, r.Seq)
		return nil
	})
	return o, err
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
