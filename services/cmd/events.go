package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"hubledger/events"
	"hubledger/projections/journal"
)

type eventsCmd struct {
	Ls      eventsLsCmd      `cmd:"" help:"List events, the newest first."`
	Show    eventsShowCmd    `cmd:"" help:"Show one event whole."`
	Tail    eventsTailCmd    `cmd:"" help:"Print events as they come."`
	Restore eventsRestoreCmd `cmd:"" help:"Make a damaged log anew from the journal. The hub must be stopped."`
}

type eventsLsCmd struct {
	Limit       int    `help:"How many at most." default:"50"`
	After       uint64 `help:"Only events after this sequence, the oldest first."`
	Type        string `help:"Only this type, such as image.pushed.v1."`
	Subject     string `help:"Only subjects that begin with this."`
	Actor       string `help:"Only events by this actor."`
	Correlation string `help:"Only the chain that began with the event of this id."`
}

type eventsShowCmd struct {
	Seq uint64 `arg:"" help:"Sequence of the event."`
}

type eventsTailCmd struct {
	After *uint64 `help:"Begin behind this sequence; 0 is the whole log. Default: only what comes from now on."`
}

// An eventItem is an event as the command line prints it.
type eventItem struct {
	Seq        uint64            `json:"seq"`
	Time       time.Time         `json:"time"`
	Type       string            `json:"type"`
	Actor      string            `json:"actor"`
	Subject    string            `json:"subject"`
	Attributes map[string]string `json:"attributes"`
	Data       json.RawMessage   `json:"data,omitempty"`
	Leaf       string            `json:"leaf,omitempty"`
	What       string            `json:"what"` // for people: the object
}

func (c *eventsLsCmd) Run(s *session) error {
	q := url.Values{"limit": {strconv.Itoa(c.Limit)}, "type": {c.Type}, "subject": {c.Subject}, "actor": {c.Actor}, "correlation": {c.Correlation}}
	if c.After > 0 {
		q.Set("after", strconv.FormatUint(c.After, 10))
	}
	var rows [][]string
	err := items(s, "GET", "/events", q, nil, func(e eventItem) error {
		rows = append(rows, e.row())
		return nil
	})
	if err != nil || s.json {
		return err
	}
	return s.table([]string{"SEQ", "TIME", "TYPE", "ACTOR", "WHAT"}, rows)
}

func (e eventItem) row() []string {
	return []string{strconv.FormatUint(e.Seq, 10), e.Time.Format(time.DateTime), e.Type, e.Actor, e.What}
}

func (c *eventsShowCmd) Run(s *session) error {
	return items(s, "GET", "/events/"+strconv.FormatUint(c.Seq, 10), nil, nil, func(e eventItem) error {
		if s.json {
			return nil
		}
		fmt.Fprintf(s.out, "sequence    %d\nsubject     %s\nleaf        %s\n", e.Seq, e.Subject, e.Leaf)
		for _, name := range []string{events.AttrType, events.AttrID, events.AttrTime, events.AttrActor, events.AttrSource, events.AttrCause, events.AttrCorrelation} {
			if v := e.Attributes[name]; v != "" {
				fmt.Fprintf(s.out, "%-11s %s\n", name[len("ce-"):], v)
			}
		}
		pretty, manifest := indentData(e.Data)
		fmt.Fprintf(s.out, "\n%s\n", pretty)
		if manifest != "" {
			fmt.Fprintf(s.out, "\nmanifest:\n%s\n", manifest)
		}
		return nil
	})
}

// indentData lays an event's data out; a manifest in it is text of its own.
func indentData(data json.RawMessage) (pretty, manifest string) {
	var fields map[string]json.RawMessage
	var bytes []byte
	if json.Unmarshal(data, &fields) == nil && json.Unmarshal(fields["manifest"], &bytes) == nil {
		manifest = string(bytes)
		fields["manifest"], _ = json.Marshal(fmt.Sprintf("%d bytes, below", len(bytes)))
		data, _ = json.Marshal(fields) // of strings just decoded: cannot fail
	}
	out, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		return string(data), manifest
	}
	return string(out), manifest
}

func (c *eventsTailCmd) Run(s *session) error {
	q := url.Values{"follow": {"1"}}
	if c.After != nil {
		q.Set("after", strconv.FormatUint(*c.After, 10))
	}
	err := items(s, "GET", "/events", q, nil, func(e eventItem) error {
		if s.json {
			return nil
		}
		_, err := fmt.Fprintf(s.out, "%8d  %s  %-28s %-12s %s\n", e.Seq, e.Time.Format(time.DateTime), e.Type, e.Actor, e.What)
		return err
	})
	if errors.Is(err, errInterrupted) {
		return nil // that is how it ends
	}
	return err
}

func (h *hub) adminEvents(ctx context.Context, r *http.Request, a *answer) error {
	q := r.URL.Query()
	if q.Get("follow") != "" {
		return h.tail(ctx, q, a)
	}
	after, _ := strconv.ParseUint(q.Get("after"), 10, 64)
	limit, _ := strconv.Atoi(q.Get("limit"))
	if limit <= 0 || limit > 10_000 {
		return fmt.Errorf("--limit is from 1 to 10000")
	}
	list, err := journal.List(ctx, h.view("journal").db(), journal.Filter{After: after, Limit: limit, NewestFirst: !q.Has("after"),
		Subject: q.Get("subject"), Type: q.Get("type"), Actor: q.Get("actor"), Correlation: q.Get("correlation")})
	if err != nil {
		return err
	}
	for k := range list {
		if err := a.item(h.eventItem(ctx, &list[k].Event)); err != nil {
			return err
		}
	}
	return nil
}

func (h *hub) tail(ctx context.Context, q url.Values, a *answer) error {
	after, err := strconv.ParseUint(q.Get("after"), 10, 64)
	if err != nil {
		if after, err = h.log.LastSeq(ctx); err != nil {
			return err
		}
	}
	if last, err := h.log.LastSeq(ctx); err == nil && after > last {
		return fmt.Errorf("the log ends at event %d; --after %d is behind that", last, after)
	}
	err = h.log.Follow(ctx, after, 500, func(batch []events.Event) error {
		for k := range batch {
			if err := a.item(h.eventItem(ctx, &batch[k])); err != nil {
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

func (h *hub) adminEvent(ctx context.Context, r *http.Request, a *answer) error {
	seq, err := strconv.ParseUint(r.PathValue("seq"), 10, 64)
	if err != nil || seq == 0 {
		return fmt.Errorf("%q is not a sequence", r.PathValue("seq"))
	}
	e, err := h.log.Get(ctx, seq)
	if err != nil {
		return err
	}
	item := h.eventItem(ctx, e)
	item.Data = e.Data
	item.Leaf = fmt.Sprintf("%x", events.LeafOf(e))
	return a.item(item)
}

func (h *hub) eventItem(ctx context.Context, e *events.Event) eventItem {
	item := eventItem{Seq: e.Seq, Time: e.Time(), Type: e.Type(), Actor: e.Actor(), Subject: e.Subject, Attributes: map[string]string{}, What: h.what(ctx, e)}
	for _, attr := range e.Attributes {
		item.Attributes[attr.Name] = attr.Value
	}
	return item
}

// short is a digest as people read it: the algorithm and 12 digits.
func short(d string) string {
	if len(d) > 19 {
		return d[:19]
	}
	return d
}
