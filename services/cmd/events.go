package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"hubledger/events"
	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/adminsocket"
	"hubledger/services/internal/plaintext"
)

type eventsCmd struct {
	Ls      eventsLsCmd      `cmd:"" help:"List events, the newest first."`
	Show    eventsShowCmd    `cmd:"" help:"Show one event in full."`
	Tail    eventsTailCmd    `cmd:"" help:"Print events as they are appended."`
	Restore eventsRestoreCmd `cmd:"" help:"Rebuild a damaged log from the journal. The hub must be stopped."`
}

type eventsLsCmd struct {
	Limit       int    `help:"Maximum number of events." default:"50"`
	After       uint64 `help:"Only events after this sequence number, the oldest first."`
	Type        string `help:"Only events of this type, such as image.pushed.v1."`
	Subject     string `help:"Only events whose subject begins with this."`
	Actor       string `help:"Only events by this actor."`
	Correlation string `help:"Only events of the chain that began with the event with this id."`
}

type eventsShowCmd struct {
	Seq uint64 `arg:"" help:"Sequence number of the event."`
}

type eventsTailCmd struct {
	After *uint64 `help:"Start after this sequence number; 0 prints the whole log. Default: only new events."`
}

func (c *eventsLsCmd) Run(s *console.Session) error {
	q := url.Values{"limit": {strconv.Itoa(c.Limit)}, "type": {c.Type}, "subject": {c.Subject}, "actor": {c.Actor}, "correlation": {c.Correlation}}
	if c.After > 0 {
		q.Set("after", strconv.FormatUint(c.After, 10))
	}
	var rows [][]string
	err := console.Items(s, "GET", "/events", q, nil, func(e adminsocket.Event) error {
		rows = append(rows, eventRow(e))
		return nil
	})
	if err != nil || s.JSON {
		return err
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(s.Out, "No events match.")
		return err
	}
	return s.Table([]string{"SEQ", "TIME", "TYPE", "ACTOR", "WHAT"}, rows)
}

func eventRow(e adminsocket.Event) []string {
	return []string{strconv.FormatUint(e.Seq, 10), e.Time.Format(time.DateTime), e.Type, e.Actor, e.What}
}

func (c *eventsShowCmd) Run(s *console.Session) error {
	return console.Items(s, "GET", "/events/"+strconv.FormatUint(c.Seq, 10), nil, nil, func(e adminsocket.Event) error {
		if s.JSON {
			return nil
		}
		fmt.Fprintf(s.Out, "sequence    %d\nsubject     %s\nleaf        %s\n", e.Seq, e.Subject, e.Leaf)
		for _, name := range []string{events.AttrType, events.AttrID, events.AttrTime, events.AttrActor, events.AttrSource, events.AttrCause, events.AttrCorrelation} {
			if v := e.Attributes[name]; v != "" {
				fmt.Fprintf(s.Out, "%-11s %s\n", name[len("ce-"):], v)
			}
		}
		pretty, manifest := indentData(e.Data)
		fmt.Fprintf(s.Out, "\n%s\n", pretty)
		if manifest != "" {
			fmt.Fprintf(s.Out, "\nmanifest:\n%s\n", manifest)
		}
		return nil
	})
}

// indentData formats an event's data. A manifest in it is returned apart.
func indentData(data json.RawMessage) (pretty, manifest string) {
	var fields map[string]json.RawMessage
	var bytes []byte
	if json.Unmarshal(data, &fields) == nil && json.Unmarshal(fields["manifest"], &bytes) == nil {
		manifest = string(bytes)
		fields["manifest"], _ = json.Marshal(fmt.Sprintf("%d bytes, below", len(bytes)))
		data, _ = json.Marshal(fields) // cannot fail: the values were just decoded
	}
	out, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		return string(data), manifest
	}
	return string(out), manifest
}

func (c *eventsTailCmd) Run(s *console.Session) error {
	q := url.Values{"follow": {"1"}}
	if c.After != nil {
		q.Set("after", strconv.FormatUint(*c.After, 10))
	}
	err := console.Items(s, "GET", "/events", q, nil, func(e adminsocket.Event) error {
		if s.JSON {
			return nil
		}
		_, err := fmt.Fprintf(s.Out, "%8d  %s  %-28s %-12s %s\n", e.Seq, e.Time.Format(time.DateTime), e.Type, plaintext.Line(e.Actor), plaintext.Line(e.What))
		return err
	})
	if errors.Is(err, client.ErrInterrupted) {
		return nil // Ctrl-C is how people end it
	}
	return err
}
