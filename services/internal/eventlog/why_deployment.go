package eventlog

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"hubledger/events"
	"hubledger/projections/journal"
)

// What a person decided about a deployment, such as a promotion, has no cause in logs of before
// decisions had one: it counts as led to by the deployment's event before it.

// maxDeployments bounds the deployments of a chain whose decisions are looked for.
const maxDeployments = 20

// An effect is an event with what led to it.
type effect struct {
	journal.Entry
	cause string // id of an event
}

// below are the events that come behind an event in its chain, at most about maxChain, the oldest
// first, with the decisions about the deployments among them, and what these led to.
func (r *Reader) below(ctx context.Context, asked *journal.Entry) (list []effect, err error) {
	known := map[uint64]bool{asked.Seq: true}
	add := func(all []journal.Entry, err error) error {
		for _, e := range all {
			if !known[e.Seq] {
				known[e.Seq] = true
				list = append(list, effect{e, e.Cause()})
			}
		}
		return err
	}
	if err := add(journal.Chain(ctx, r.Journal, asked.Correlation(), asked.Seq, maxChain)); err != nil {
		return nil, err
	}
	begun := []uint64{asked.Seq}
	for k := range list {
		if list[k].Type() == "deployment.requested.v1" {
			begun = append(begun, list[k].Seq)
		}
	}
	adopted := map[string]string{} // causes, by the id of what has none
	for _, seq := range begun[:min(len(begun), maxDeployments)] {
		all, err := r.deploymentOf(ctx, seq)
		if err != nil {
			return nil, err
		}
		for k := 1; k < len(all) && len(list) < maxChain; k++ {
			if e := &all[k]; e.Cause() == "" && e.Seq > asked.Seq {
				adopted[e.ID()] = all[k-1].ID()
				if err := add([]journal.Entry{*e}, nil); err != nil {
					return nil, err
				}
				if err := add(journal.Chain(ctx, r.Journal, e.Correlation(), e.Seq, maxChain-len(list))); err != nil {
					return nil, err
				}
			}
		}
	}
	for k := range list {
		if cause, ok := adopted[list[k].ID()]; ok {
			list[k].cause = cause
		}
	}
	slices.SortFunc(list, func(a, b effect) int { return cmp.Compare(a.Seq, b.Seq) })
	return list, nil
}

// deploymentOf are the heads of all events of the deployment that an event is of, in order; none
// when it is of none.
func (r *Reader) deploymentOf(ctx context.Context, seq uint64) ([]journal.Entry, error) {
	list, err := r.read(ctx, []uint64{seq})
	if err != nil || len(list) == 0 || !strings.HasPrefix(list[0].Type(), "deployment.") {
		return nil, err
	}
	p, err := events.Decode(&list[0].Event)
	if err != nil {
		return nil, nil // it was redacted
	}
	of, is := p.(interface{ About() events.DeploymentOf })
	if !is {
		return nil, nil
	}
	seqs, err := r.EventsOfDeployment(ctx, of.About().Deployment)
	if err != nil {
		return nil, err
	}
	return journal.Heads(ctx, r.Journal, seqs)
}

// causeOf is the sequence of what led to an event, 0 for nothing.
func (r *Reader) causeOf(ctx context.Context, e *journal.Entry) (uint64, error) {
	if cause := e.Cause(); cause != "" {
		return r.find(ctx, cause)
	}
	all, err := r.deploymentOf(ctx, e.Seq)
	for k := 1; k < len(all); k++ {
		if all[k].Seq == e.Seq {
			return all[k-1].Seq, err
		}
	}
	return 0, err
}
