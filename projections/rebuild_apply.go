package projections

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"hubledger/events"
)

var errEnough = errors.New("the last event was read")

// read deals the log out to the workers by subject.
func (b *rebuild) read(ctx context.Context, inputs []chan []events.Event) error {
	const most, mostBytes = 256, 1 << 20
	if b.last == 0 {
		return nil
	}
	seed := maphash.MakeSeed()
	hands := make([][]events.Event, len(inputs))
	sizes := make([]int, len(inputs))
	deal := func(i int) error {
		select {
		case inputs[i] <- hands[i]:
			hands[i], sizes[i] = nil, 0
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
			if hands[i] == nil {
				hands[i] = make([]events.Event, 0, most)
			}
			hands[i] = append(hands[i], e)
			sizes[i] += len(e.Data)
			if len(hands[i]) == most || sizes[i] > mostBytes {
				if err := deal(i); err != nil {
					return err
				}
			}
			if position = e.Seq; position == b.last {
				return errEnough
			}
		}
		return nil
	})
	if err == nil {
		err = fmt.Errorf("the log ended at event %d, before its last", position)
	}
	if !errors.Is(err, errEnough) {
		return err
	}
	for i := range hands {
		if err := deal(i); err != nil {
			return err
		}
	}
	return nil
}

// An applier is one worker of the first half.
type applier struct {
	b       *rebuild
	sorter  *sorter
	ops     Ops
	parking parking
	parked  []Parked
	runs    []*run
}

func newApplier(b *rebuild, memory int) *applier {
	return &applier{b: b, sorter: newSorter(b.m, memory), parking: parking{}}
}

func (a *applier) run(ctx context.Context, input <-chan []events.Event) error {
	for batch := range input {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range batch {
			if err := a.apply(&batch[i]); err != nil {
				return err
			}
		}
		a.b.report(a.b.applied.Add(uint64(len(batch))) / 2)
	}
	if a.sorter.count == 0 {
		return nil
	}
	a.sorter.sort()
	a.runs = append(a.runs, &run{memory: a.sorter})
	return nil
}

func (a *applier) apply(e *events.Event) error {
	if p, skip := a.parking.skip(e); skip {
		a.parked = append(a.parked, p)
		return nil
	}
	a.ops.reset()
	if err := a.b.m.apply(e, &a.ops); err != nil {
		p := park(e, err)
		a.parking.load([]Parked{p})
		a.parked = append(a.parked, p)
		return nil
	}
	a.sorter.add(e.Seq, &a.ops)
	if !a.sorter.full() {
		return nil
	}
	a.sorter.sort()
	r, err := a.sorter.spill(a.b.cfg.Scratch)
	if err != nil {
		return err
	}
	a.runs = append(a.runs, r)
	a.sorter.reset()
	return nil
}
