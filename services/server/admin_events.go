package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"hubledger/events"
	"hubledger/projections/journal"
	"hubledger/services/internal/adminsocket"
	"hubledger/streams"
)

func (n *Node) adminEvents(ctx context.Context, r *http.Request, a *adminResponse) error {
	q := r.URL.Query()
	if q.Get("follow") != "" {
		return n.tail(ctx, q, a)
	}
	after, _ := strconv.ParseUint(q.Get("after"), 10, 64)
	limit, _ := strconv.Atoi(q.Get("limit"))
	if limit <= 0 || limit > 10_000 {
		return fmt.Errorf("--limit must be between 1 and 10000")
	}
	list, err := journal.List(ctx, n.models.Named(journal.Projection.Name).Store().DB(), journal.Filter{After: after, Limit: limit, NewestFirst: !q.Has("after"),
		Subject: q.Get("subject"), Type: q.Get("type"), Actor: q.Get("actor"), Correlation: q.Get("correlation")})
	if err != nil {
		return err
	}
	for k := range list {
		if err := a.item(n.eventItem(ctx, &list[k].Event)); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) tail(ctx context.Context, q url.Values, a *adminResponse) error {
	after, err := strconv.ParseUint(q.Get("after"), 10, 64)
	if err != nil {
		if after, err = n.log.LastSeq(ctx); err != nil {
			return err
		}
	}
	if last, err := n.log.LastSeq(ctx); err == nil && after > last {
		return fmt.Errorf("the log ends at event %d, before --after %d", last, after)
	}
	err = n.log.Follow(ctx, after, 500, func(batch []events.Event) error {
		for k := range batch {
			if err := a.item(n.eventItem(ctx, &batch[k])); err != nil {
				return err
			}
		}
		return nil
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (n *Node) adminEvent(ctx context.Context, r *http.Request, a *adminResponse) error {
	seq, err := strconv.ParseUint(r.PathValue("seq"), 10, 64)
	if err != nil || seq == 0 {
		return fmt.Errorf("%q is not the sequence number of an event", r.PathValue("seq"))
	}
	e, err := n.log.Get(ctx, seq)
	if errors.Is(err, streams.ErrNotFound) {
		if last, lerr := n.log.LastSeq(ctx); lerr == nil {
			err = fmt.Errorf("event %d: %w; the last one is %d", seq, err, last)
		}
	}
	if err != nil {
		return err
	}
	item := n.eventItem(ctx, e)
	item.Data = e.Data
	item.Leaf = fmt.Sprintf("%x", events.LeafOf(e))
	return a.item(item)
}

func (n *Node) eventItem(ctx context.Context, e *events.Event) adminsocket.Event {
	item := adminsocket.Event{Seq: e.Seq, Time: e.Time(), Type: e.Type(), Actor: e.Actor(), Subject: e.Subject, Attributes: map[string]string{}, What: n.sentence(ctx, e).String()}
	for _, attr := range e.Attributes {
		item.Attributes[attr.Name] = attr.Value
	}
	return item
}
