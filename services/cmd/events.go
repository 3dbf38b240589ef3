package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/adminsocket"
	"hubledger/services/internal/eventquery"
	"hubledger/services/internal/plaintext"
)

type eventsCmd struct {
	Ls      eventsLsCmd      `cmd:"" help:"List events, the newest first."`
	Show    eventsShowCmd    `cmd:"" help:"Show one event in full."`
	Tail    eventsTailCmd    `cmd:"" help:"Print events as they are appended."`
	Restore eventsRestoreCmd `cmd:"" help:"Rebuild a damaged log from the journal. The hub must be stopped."`
}

// An eventFilter says which events are wanted.
type eventFilter struct {
	Query       []string `arg:"" optional:"" help:"Filter, such as actor:alice repo:team/app type:image.pushed since:2h. A minus before a term excludes: put -- before a filter that begins with one."`
	Type        string   `help:"Short for type:TYPE, such as image.pushed or image.*."`
	Subject     string   `help:"Short for aggregate:SUBJECT*: only events whose subject begins with this."`
	Actor       string   `help:"Short for actor:NAME."`
	Correlation string   `help:"Short for correlation:ID: only events of the chain that began with the event with this id."`
}

// values are the filter as the hub takes it. It is checked here, so that a mistake is
// told with its place in what was typed.
func (f *eventFilter) values() (url.Values, error) {
	text := strings.Join(f.Query, " ")
	if _, err := eventquery.Parse(text); err != nil {
		return nil, fmt.Errorf("the filter: %w", err)
	}
	for _, t := range []eventquery.Term{{Name: "type", Value: f.Type}, {Name: "aggregate", Value: f.Subject + "*"}, {Name: "actor", Value: f.Actor}, {Name: "correlation", Value: f.Correlation}} {
		if t.Value != "" && t.Value != "*" {
			text += " " + t.String()
		}
	}
	q, err := eventquery.Parse(text)
	return url.Values{"q": {q.String()}}, err
}

type eventsLsCmd struct {
	eventFilter
	Limit int    `help:"Maximum number of events." default:"50"`
	After uint64 `help:"Only events after this sequence number, the oldest first."`
}

type eventsShowCmd struct {
	Seq uint64 `arg:"" help:"Sequence number of the event."`
}

type eventsTailCmd struct {
	eventFilter
	After *uint64 `help:"Start after this sequence number; 0 prints the whole log. Default: only new events."`
}

func (c *eventsLsCmd) Run(s *console.Session) error {
	q, err := c.values()
	if err != nil {
		return err
	}
	q.Set("limit", strconv.Itoa(c.Limit))
	if c.After > 0 {
		q.Set("after", strconv.FormatUint(c.After, 10))
	}
	var rows [][]string
	err = console.Items(s, "GET", "/events", q, nil, func(e adminsocket.Event) error {
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
	q, err := c.values()
	if err != nil {
		return err
	}
	q.Set("follow", "1")
	if c.After != nil {
		q.Set("after", strconv.FormatUint(*c.After, 10))
	}
	err = console.Items(s, "GET", "/events", q, nil, func(e adminsocket.Event) error {
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
