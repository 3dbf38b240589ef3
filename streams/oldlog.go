package streams

import (
	"context"
	"errors"
	"iter"

	"hubledger/events"
)

// An oldLog is what can be read of a log that is about to be replaced.
type oldLog struct {
	generation string
	last       uint64  // the highest sequence it is known to have had
	blocks     []block // none when they are not those of that generation
}

func readOld(c Config) (*oldLog, error) {
	o := &oldLog{}
	g, err := readGeneration(c.Dir)
	if err != nil {
		c.Logger.Warn("the generation of the old log is not known", "error", err)
	} else if g != nil {
		o.generation = g.ID
	}
	if s := readSeal(c.Dir); s.Generation == o.generation {
		o.last = s.LastSeq
	}
	var stored, before string
	if config, err := storedConfig(c); err == nil {
		stored, before = config.Metadata[metaGeneration], config.Metadata[metaPrevious]
	}
	// A replacement that ended before it was noted has left a whole log that
	// names the one that was noted.
	if o.generation == "" || before == o.generation {
		o.generation = stored
	}
	if stored != o.generation {
		c.Logger.Warn("the old files are of another log; nothing is taken from them", "generation", stored)
		return o, nil
	}
	if o.blocks, err = listBlocks(c.storeDir()); err != nil {
		return nil, err
	}
	err = o.salvage(func(r record) error {
		o.last = max(o.last, r.seq)
		return nil
	})
	return o, err
}

// after yields the readable events that follow a sequence without a gap. The
// files must agree with a copy that has events, wherever both can be read, and
// hold at least one of its recent ones: otherwise they are no continuation of
// it, and nothing is taken.
func (o *oldLog) after(ctx context.Context, seq uint64, recent map[uint64]events.Leaf) iter.Seq2[events.Event, error] {
	agreed := len(recent) == 0
	return func(yield func(events.Event, error) bool) {
		err := o.salvage(func(r record) error {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			leaf, overlaps := recent[r.seq]
			if !overlaps && r.seq != seq+1 {
				return nil
			}
			e := r.event()
			switch {
			case e.Check() != nil:
				return errScanned
			case overlaps && events.LeafOf(&e) != leaf:
				return errScanned
			case overlaps:
				agreed = true
				return nil
			case !agreed:
				return errScanned
			}
			seq++
			if !yield(e, nil) {
				return errScanned
			}
			return nil
		})
		if err != nil && !errors.Is(err, errScanned) {
			yield(events.Event{}, err)
		}
	}
}

// salvage calls fn with every good record of the old files and passes over
// what is damaged.
func (o *oldLog) salvage(fn func(record) error) error {
	var buf []byte
	var err error
	for _, b := range o.blocks {
		if buf, err = b.load(buf); err != nil {
			return err
		}
		for rest := buf; len(rest) > 0; {
			end, err := b.walk(rest, fn)
			if err != nil && !isBad(err) {
				return err
			}
			rest = b.resync(rest[end:])
		}
	}
	return nil
}
