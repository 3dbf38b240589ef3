package eventlog

import (
	"context"
	"strconv"

	"hubledger/projections/journal"
	"hubledger/services/internal/access"
)

// One is an event with what led to it and what it led to, as far as that may be read.
type One struct {
	Event
	Cause *Event // nil when there is none, or it may not be read
	Led   []Event
	More  bool // there are more that it led to, or there may be
}

// How many later events of its chain are looked at for what an event led to, and how
// many of these are shown.
const maxChain, maxLed = 1000, 100

// One returns the event with that sequence, in decimal digits, or with that id.
// ErrUnknown.
func (r *Reader) One(ctx context.Context, p access.Principal, ref string) (*One, error) {
	r.CatchUp(ctx)
	h, err := r.Rights.Holdings(ctx, p)
	if err != nil {
		return nil, err
	}
	seq, err := r.seqOf(ctx, ref)
	if err != nil {
		return nil, err
	}
	list, err := r.those(ctx, &h, []uint64{seq})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrUnknown
	}
	one := &One{Event: list[0]}
	if cause := one.Event.Cause(); cause != "" {
		seq, err := r.find(ctx, cause)
		if err != nil {
			return nil, err
		}
		list, err := r.those(ctx, &h, []uint64{seq})
		if err != nil {
			return nil, err
		}
		if len(list) > 0 {
			one.Cause = &list[0]
		}
	}
	return one, r.led(ctx, &h, one)
}

// seqOf is the sequence that ref is in decimal digits, or that of the event with that id;
// 0 for none.
func (r *Reader) seqOf(ctx context.Context, ref string) (uint64, error) {
	if seq, err := strconv.ParseUint(ref, 10, 63); err == nil {
		return seq, nil
	}
	return r.find(ctx, ref)
}

// led finds what an event led to.
func (r *Reader) led(ctx context.Context, h *access.Holdings, one *One) error {
	if one.Correlation() == "" {
		return nil
	}
	chain, err := journal.Chain(ctx, r.Journal, one.Correlation(), one.Seq, maxChain)
	if err != nil {
		return err
	}
	var seqs []uint64
	for k := range chain {
		if chain[k].Cause() == one.ID() {
			seqs = append(seqs, chain[k].Seq)
		}
	}
	if seqs, err = r.readable(ctx, h, seqs); err != nil {
		return err
	}
	shown := seqs[:min(len(seqs), maxLed)]
	if one.Led, err = r.read(ctx, shown); err != nil {
		return err
	}
	one.More = len(one.Led) < len(seqs) || len(chain) == maxChain && (h.All && h.Whole)
	return nil
}

// those are the events of these sequences that may be read.
func (r *Reader) those(ctx context.Context, h *access.Holdings, seqs []uint64) ([]Event, error) {
	seqs, err := r.readable(ctx, h, seqs)
	if err != nil {
		return nil, err
	}
	return r.read(ctx, seqs)
}
