package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/eventquery"
	"hubledger/services/internal/plaintext"
)

type eventsCmd struct {
	Ls       eventsLsCmd       `cmd:"" help:"List events, the newest first."`
	Show     eventsShowCmd     `cmd:"" help:"Show one event in full."`
	Tail     eventsTailCmd     `cmd:"" help:"Print events as they are appended."`
	Export   eventsExportCmd   `cmd:"" help:"Write events to a file, or send them to a receiver."`
	Replay   eventsReplayCmd   `cmd:"" help:"Make a hub of a file with all events, in a new data directory."`
	AsyncAPI eventsAsyncAPICmd `cmd:"" name:"asyncapi" help:"Print the AsyncAPI document of the log: subjects, types of events and their schemas. Needs no hub."`
	Restore  eventsRestoreCmd  `cmd:"" help:"Rebuild a damaged log from the journal. The hub must be stopped."`
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
	console.Target
	eventFilter
	Limit int    `help:"Maximum number of events." default:"50"`
	After uint64 `help:"Only events after this sequence number, the oldest first."`
}

type eventsShowCmd struct {
	console.Target
	Event string `arg:"" help:"Sequence number or id of the event."`
}

type eventsTailCmd struct {
	console.Target
	eventFilter
	After *uint64 `help:"Start after this sequence number; 0 prints the whole log. Default: only new events."`
}

const eventsPath = "/events"

func (c *eventsLsCmd) Run(s *console.Session) error {
	if c.Limit < 1 {
		return errors.New("--limit must be at least 1")
	}
	q, err := c.values()
	if err != nil {
		return err
	}
	a, err := c.API(s)
	if err != nil {
		return err
	}
	if c.After > 0 {
		q.Set("order", "oldest")
		q.Set("after", strconv.FormatUint(c.After, 10))
	}
	var rows [][]string
	err = eachEvent(a, q, c.Limit, func(e apitypes.Event) error {
		if s.JSON {
			return s.Print(e)
		}
		rows = append(rows, []string{strconv.FormatUint(e.Seq, 10), e.Time.Format(time.DateTime), e.Type, e.Actor, e.Text})
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

// maxPage is how many events the hub sends at once.
const maxPage = 100

// tellEvery is how often a long search says how far it has looked.
const tellEvery = 5 * time.Second

// eachEvent calls item for at most n events of a list. Where few match, the hub sends pages
// that are not full, and says how far it has looked.
func eachEvent(a *console.API, q url.Values, n int, item func(apitypes.Event) error) error {
	told := time.Now()
	for path := eventsPath + "?" + q.Encode(); ; {
		page, err := console.Get[apitypes.EventPage](a, path+"&limit="+strconv.Itoa(min(n, maxPage)))
		if err != nil {
			return err
		}
		for _, e := range page.Items {
			if err := item(e); err != nil {
				return err
			}
		}
		if page.Scanned > 0 && time.Since(told) > tellEvery {
			told = time.Now()
			fmt.Fprintf(a.Session.Err, "looked as far as event %d; it goes on\n", page.Scanned)
		}
		if n -= len(page.Items); n <= 0 || page.Next == "" {
			return nil
		}
		next, err := url.Parse(page.Next)
		if err != nil {
			return fmt.Errorf("the hub's answer cannot be read: its next page is at %q", page.Next)
		}
		following := next.Query()
		following.Del("limit")
		path = eventsPath + "?" + following.Encode()
	}
}

func (c *eventsShowCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	err = console.Send(a, "GET", eventsPath+"/"+url.PathEscape(c.Event), nil, func(e apitypes.FullEvent) error {
		return printEvent(s, e)
	})
	if err != nil {
		return fmt.Errorf("event %s: %w", c.Event, err)
	}
	return nil
}

func brief(e apitypes.Event) string {
	return fmt.Sprintf("event %d: %s %s", e.Seq, e.Actor, e.Text)
}

// printEvent prints an event in full.
func printEvent(s *console.Session, e apitypes.FullEvent) error {
	var known [][]string
	if e.Text != "" {
		known = append(known, []string{"what", e.Actor + " " + e.Text})
	}
	known = append(known, [][]string{{"sequence", strconv.FormatUint(e.Seq, 10)}, {"subject", e.Subject}, {"leaf", e.Leaf}}...)
	for _, name := range []string{events.AttrType, events.AttrID, events.AttrTime, events.AttrActor, events.AttrSource, events.AttrCause, events.AttrCorrelation} {
		if v := e.Headers[name]; v != "" {
			known = append(known, []string{name[len("ce-"):], v})
		}
	}
	if e.CausedBy != nil {
		known = append(known, []string{"led to by", brief(*e.CausedBy)})
	}
	for _, led := range e.LedTo {
		known = append(known, []string{"led to", brief(led)})
	}
	if e.More {
		known = append(known, []string{"led to", "more: hubledger events ls cause:" + e.ID})
	}
	if err := s.Facts(known); err != nil {
		return err
	}
	pretty, manifest := indentData(e.Data)
	fmt.Fprintf(s.Out, "\n%s\n", pretty)
	if manifest != "" {
		fmt.Fprintf(s.Out, "\nmanifest:\n%s\n", manifest)
	}
	return nil
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
	a, err := c.API(s)
	if err != nil {
		return err
	}
	print := func(e apitypes.Event) error {
		if s.JSON {
			return s.Print(e)
		}
		_, err := fmt.Fprintf(s.Out, "%8d  %s  %-28s %-12s %s\n", e.Seq, e.Time.Format(time.DateTime), e.Type, plaintext.Line(e.Actor), plaintext.Line(e.Text))
		return err
	}
	var after uint64
	if c.After != nil {
		// Until the end of the log the pages are quicker than a stream, and begin with event 1.
		after = max(*c.After, 1)
		pages := url.Values{"q": q["q"], "order": {"oldest"}, "after": {strconv.FormatUint(*c.After, 10)}}
		err = eachEvent(a, pages, math.MaxInt, func(e apitypes.Event) error {
			after = e.Seq
			return print(e)
		})
	}
	if c.After == nil { // what is there now is not printed, and nothing behind it is missed
		err = eachEvent(a, nil, 1, func(e apitypes.Event) error {
			after = e.Seq
			return nil
		})
	}
	if err == nil {
		err = console.Follow(a, eventsPath+"/live", q, after, "event", print)
	}
	if errors.Is(err, client.ErrInterrupted) {
		return nil // Ctrl-C is how people end it
	}
	return err
}
