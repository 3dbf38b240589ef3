package eventlog

import (
	"cmp"
	"context"
	"slices"

	"hubledger/projections/journal"
	"hubledger/services/internal/access"
)

// A Step is one event of a chain. Those of a chain come from causes to effects: each behind
// the one that led to it, and one deeper.
type Step struct {
	Depth int
	Event *Event // nil for one that may not be read
	Asked bool   // what the chain was asked for
}

// A Chain is what led to an event, and all that it led to, as far as it may be read.
type Chain struct {
	Steps []Step
	More  bool // there are more causes or effects than were looked at
}

// maxAbove bounds how many causes are followed, one behind the other.
const maxAbove = 50

// Why follows the causes of an event up to the first one, and its effects down, at most
// maxChain of them. The event is named by its sequence or its id. ErrUnknown.
func (r *Reader) Why(ctx context.Context, p access.Principal, ref string) (*Chain, error) {
	r.CatchUp(ctx)
	h, err := r.Rights.Holdings(ctx, p)
	if err != nil {
		return nil, err
	}
	seq, err := r.seqOf(ctx, ref)
	if err != nil {
		return nil, err
	}
	if may, err := r.readable(ctx, &h, []uint64{seq}); err != nil || len(may) == 0 {
		return nil, cmp.Or(err, ErrUnknown)
	}
	asked, err := journal.Heads(ctx, r.Journal, []uint64{seq})
	if err != nil || len(asked) == 0 {
		return nil, cmp.Or(err, ErrUnknown)
	}
	above, cut, err := r.above(ctx, &asked[0])
	if err != nil {
		return nil, err
	}
	below, err := r.below(ctx, &asked[0])
	if err != nil {
		return nil, err
	}
	seqs := append(above, seq)
	effects := map[string][]*journal.Entry{} // by the id of the cause
	reached := map[string]bool{asked[0].ID(): true}
	for k := range below {
		if e := &below[k]; reached[e.cause] { // an effect comes behind its cause
			reached[e.ID()] = true
			effects[e.cause] = append(effects[e.cause], &e.Entry)
			seqs = append(seqs, e.Seq)
		}
	}
	shown, err := r.shown(ctx, &h, seqs)
	if err != nil {
		return nil, err
	}
	c := &Chain{More: cut || len(below) >= maxChain && h.All && h.Whole}
	for _, seq := range above {
		c.Steps = append(c.Steps, Step{Depth: len(c.Steps), Event: shown[seq]})
	}
	depth := len(above)
	c.Steps = append(c.Steps, Step{Depth: depth, Event: shown[seq], Asked: true})
	var down func(id string, depth int)
	down = func(id string, depth int) {
		for _, e := range effects[id] {
			next := depth
			if shown[e.Seq] != nil { // what may not be read is passed over, and its effects are not
				c.Steps = append(c.Steps, Step{Depth: depth, Event: shown[e.Seq]})
				next++
			}
			down(e.ID(), next)
		}
	}
	down(asked[0].ID(), depth+1)
	return c, nil
}

// above are the sequences of the causes of an event, the first cause first. cut says that
// there are more before them.
func (r *Reader) above(ctx context.Context, e *journal.Entry) (list []uint64, cut bool, err error) {
	for {
		seq, err := r.causeOf(ctx, e)
		if err != nil {
			return nil, false, err
		}
		if seq > 0 && len(list) == maxAbove {
			cut = true
			break
		}
		heads, err := journal.Heads(ctx, r.Journal, []uint64{seq})
		if err != nil {
			return nil, false, err
		}
		if len(heads) == 0 || heads[0].Seq >= e.Seq { // no cause comes behind its effect
			break
		}
		list, e = append(list, seq), &heads[0]
	}
	slices.Reverse(list)
	return list, cut, nil
}

// shown reads those of some events that may be read, by sequence, without their data.
func (r *Reader) shown(ctx context.Context, h *access.Holdings, seqs []uint64) (map[uint64]*Event, error) {
	found := map[uint64]*Event{}
	rest, err := r.readable(ctx, h, seqs)
	for err == nil && len(rest) > 0 {
		var list []Event
		if list, err = r.read(ctx, rest[:min(len(rest), MaxPage)]); err != nil {
			break
		}
		if len(list) == 0 { // the rest is parked
			break
		}
		for k := range list {
			list[k].Data = nil
			found[list[k].Seq] = &list[k]
		}
		rest = rest[slices.Index(rest, list[len(list)-1].Seq)+1:]
	}
	return found, err
}
