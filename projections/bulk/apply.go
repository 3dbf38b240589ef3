package bulk

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"hubledger/events"
	"hubledger/projections"
)

// errLastRead ends a Follow at the last event of a rebuild.
var errLastRead = errors.New("the last event was read")

// read hands the events of the log out to the workers by subject.
func (b *rebuild) read(ctx context.Context, inputs []chan []events.Event) error {
	const most, mostBytes = 256, 1 << 20
	if b.last == 0 {
		return nil
	}
	seed := maphash.MakeSeed()
	pending := make([][]events.Event, len(inputs))
	sizes := make([]int, len(inputs))
	send := func(i int) error {
		select {
		case inputs[i] <- pending[i]:
			pending[i], sizes[i] = nil, 0
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var position uint64
	err := b.cfg.Source.Follow(ctx, 0, 500, func(batch []events.Event) error {
		for _, e := range batch {
			if e.Seq != position+1 {
				return fmt.Errorf("the log goes from event %d to %d", position, e.Seq)
			}
			i := int(maphash.String(seed, e.Subject) % uint64(len(inputs)))
			if pending[i] == nil {
				pending[i] = make([]events.Event, 0, most)
			}
			pending[i] = append(pending[i], e)
			sizes[i] += len(e.Data)
			if len(pending[i]) == most || sizes[i] > mostBytes {
				if err := send(i); err != nil {
					return err
				}
			}
			if position = e.Seq; position == b.last {
				return errLastRead
			}
		}
		return nil
	})
	if err == nil {
		err = fmt.Errorf("the log ended at event %d, before its last", position)
	}
	if !errors.Is(err, errLastRead) {
		return err
	}
	for i := range pending {
		if err := send(i); err != nil {
			return err
		}
	}
	return nil
}

// A worker applies the events of its aggregates and sorts what they do.
type worker struct {
	b       *rebuild
	applier *projections.Applier
	sorter  *sorter
	ops     projections.Ops
	parked  []projections.Parked
	runs    []*run
}

func newWorker(b *rebuild, memory int) *worker {
	return &worker{b: b, applier: projections.NewApplier(b.m), sorter: newSorter(b.m, memory)}
}

func (w *worker) run(ctx context.Context, input <-chan []events.Event) error {
	for batch := range input {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range batch {
			if err := w.apply(&batch[i]); err != nil {
				return err
			}
		}
		w.b.report(w.b.applied.Add(uint64(len(batch))) / 2)
	}
	if w.sorter.count == 0 {
		return nil
	}
	w.sorter.sort()
	w.runs = append(w.runs, &run{memory: w.sorter})
	return nil
}

func (w *worker) apply(e *events.Event) error {
	w.ops.Reset()
	if parked, _ := w.applier.Apply(e, &w.ops); parked != nil {
		w.parked = append(w.parked, *parked)
		return nil
	}
	w.sorter.add(e.Seq, &w.ops)
	if !w.sorter.full() {
		return nil
	}
	w.sorter.sort()
	r, err := w.sorter.spill(w.b.cfg.Scratch)
	if err != nil {
		return err
	}
	w.runs = append(w.runs, r)
	w.sorter.reset()
	return nil
}
