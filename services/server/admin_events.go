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
	"hubledger/services/internal/access"
	"hubledger/services/internal/adminsocket"
	"hubledger/services/internal/eventlog"
	"hubledger/services/internal/eventquery"
	"hubledger/streams"
)

// adminEvents lists events of the log by the filter q, or follows it.
func (n *Node) adminEvents(ctx context.Context, r *http.Request, a *adminResponse) error {
	values := r.URL.Query()
	q, err := eventquery.Parse(values.Get("q"))
	if err != nil {
		return err
	}
	if values.Get("follow") != "" {
		return n.tail(ctx, values, q, a)
	}
	after, _ := strconv.ParseUint(values.Get("after"), 10, 64)
	limit, _ := strconv.Atoi(values.Get("limit"))
	if limit <= 0 || limit > 10_000 {
		return fmt.Errorf("--limit must be between 1 and 10000")
	}
	log := n.EventLog()
	o := eventlog.Options{Behind: after, OldestFirst: values.Has("after")}
	for limit > 0 {
		o.Limit = min(limit, eventlog.MaxPage)
		page, err := log.Page(ctx, access.Operates, q, o)
		if err != nil {
			return err
		}
		for k := range page.Events {
			if err := a.item(eventItem(&page.Events[k])); err != nil {
				return err
			}
		}
		if page.Next == 0 {
			return nil
		}
		o.Behind, limit = page.Next, limit-len(page.Events)
	}
	return nil
}

func (n *Node) tail(ctx context.Context, values url.Values, q eventquery.Query, a *adminResponse) error {
	last, err := n.log.LastSeq(ctx)
	if err != nil {
		return err
	}
	after := last
	if values.Has("after") {
		if after, err = strconv.ParseUint(values.Get("after"), 10, 64); err != nil {
			return fmt.Errorf("%.30q is not the sequence number of an event", values.Get("after"))
		}
	}
	if after > last {
		return fmt.Errorf("the log ends at event %d, before --after %d", last, after)
	}
	err = n.EventLog().Follow(ctx, access.Operates, q, after, func(list []eventlog.Event, _ uint64) error {
		for k := range list {
			if err := a.item(eventItem(&list[k])); err != nil {
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
	item := eventItem(&eventlog.Event{Entry: journal.Entry{Event: *e}, Sentence: n.sentence(ctx, e)})
	item.Data = e.Data
	item.Leaf = fmt.Sprintf("%x", events.LeafOf(e))
	return a.item(item)
}

func eventItem(e *eventlog.Event) adminsocket.Event {
	item := adminsocket.Event{Seq: e.Seq, Time: e.Time(), Type: e.Type(), Actor: e.Actor(), Subject: e.Subject, Attributes: map[string]string{}, What: e.Sentence.String()}
	for _, attr := range e.Attributes {
		item.Attributes[attr.Name] = attr.Value
	}
	return item
}
