package cmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/cmd/exports"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/cloudevent"
)

type eventsExportCmd struct {
	console.Target
	eventFilter
	To        string `required:"" help:"Where to: a new file, - for the standard output, or http(s)://…, nats://HOST/PREFIX, tls://HOST/PREFIX." placeholder:"TARGET"`
	Format    string `help:"${enum}; receivers get cloudevents." enum:"cloudevents,jsonl,csv" default:"cloudevents"`
	Rate      int    `help:"How many events a second to send at most; 0 for no limit." default:"0"`
	Cursor    string `help:"File that keeps how far the export has come: the next one with it goes on from there." type:"path" placeholder:"FILE"`
	TokenFile string `help:"File with the token that the receiver asks for." type:"existingfile" placeholder:"FILE"`
}

func (eventsExportCmd) Help() string {
	return `Writes the events that match the filter, the oldest first, as far as the log goes now. A receiver gets each event as a CloudEvent 1.0
in JSON (structured mode), by HTTP POST or as a message on PREFIX.SUBJECT, where a stream has to keep it, and has to say that it has it. An
event whose answer is lost comes again: with --cursor every event arrives at least once, and the id tells which were there before. A file
is cut to what the cursor says and has each event once. ` + "`hubledger events replay`" + ` makes a hub of a file that has all events.`
}

// Bounds of what is asked for at once: of a file, and of a receiver.
const (
	eventsPerFile     = 100_000
	eventsPerReceiver = 500
	bytesPerReceiver  = 32 << 20
)

// An export runs.
type export struct {
	*eventsExportCmd
	s       *console.Session
	a       *console.API
	q       url.Values
	cursor  *exports.Cursor
	limiter *rate.Limiter
	bar     *console.Bar
	saved   time.Time
	done    int64
}

func (c *eventsExportCmd) Run(s *console.Session) (err error) {
	if c.Rate < 0 {
		return errors.New("--rate is a number of events a second, or 0")
	}
	receiver := exports.IsURL(c.To)
	if receiver && c.Format != "cloudevents" {
		return fmt.Errorf("%s is for files: a receiver gets cloudevents", c.Format)
	}
	if c.To == "-" && c.Cursor != "" {
		return errors.New("--cursor is for a file or a receiver: what the standard output has kept is not known")
	}
	q, err := c.values()
	if err != nil {
		return err
	}
	a, err := c.API(s)
	if err != nil {
		return err
	}
	x := &export{eventsExportCmd: c, s: s, a: a, q: q, limiter: rate.NewLimiter(rate.Inf, 0), bar: s.Bar("exporting")}
	if c.Rate > 0 {
		x.limiter = rate.NewLimiter(rate.Limit(c.Rate), 1)
	}
	x.q.Set("format", c.Format)
	x.cursor, err = exports.OpenCursor(c.Cursor, exports.Cursor{Query: q.Get("q"), Format: c.Format, Target: withoutCredentials(c.To)})
	if err != nil {
		return err
	}
	if receiver {
		err = x.toReceiver()
	} else {
		err = x.toFile()
	}
	x.bar.End()
	if err != nil {
		if c.Cursor != "" && x.cursor.After > 0 {
			err = fmt.Errorf("%w; the next export with this cursor goes on behind event %d", err, x.cursor.After)
		}
		return err
	}
	if c.To == "-" {
		return nil
	}
	if s.JSON {
		return s.Print(map[string]any{"to": x.cursor.Target, "events": x.done, "through": x.cursor.After, "generation": x.cursor.Generation})
	}
	_, err = fmt.Fprintf(s.Out, "Exported %d events to %s, as far as event %d.\n", x.done, x.cursor.Target, x.cursor.After)
	return err
}

func withoutCredentials(target string) string {
	if u, err := url.Parse(target); err == nil && exports.IsURL(target) {
		return u.Redacted()
	}
	return target
}

// ask asks for the events behind the cursor.
func (x *export) ask(limit int) (answer *http.Response, through uint64, more bool, err error) {
	x.q.Set("after", strconv.FormatUint(x.cursor.After, 10))
	x.q.Set("limit", strconv.Itoa(limit))
	answer, err = x.a.Open(eventsPath+"/export", x.q)
	if err != nil {
		return nil, 0, false, err
	}
	through, err = strconv.ParseUint(answer.Header.Get(apitypes.HeaderThrough), 10, 64)
	if err == nil {
		err = x.cursor.Of(answer.Header.Get(apitypes.HeaderGeneration))
	} else {
		err = errors.New("the hub's answer does not say how far it goes: is it a hub of this version?")
	}
	if err != nil {
		answer.Body.Close()
	}
	return answer, through, answer.Header.Get(apitypes.HeaderMore) == "true", err
}

func (x *export) toFile() error {
	out, sync := x.s.Out, func() error { return nil }
	if x.To != "-" {
		f, err := exports.OpenFile(x.To, x.cursor)
		if err != nil {
			return err
		}
		defer f.Close()
		out, sync = f, f.Sync
	}
	limit := eventsPerFile
	if x.Rate > 0 {
		limit = min(limit, 5*x.Rate) // the hub gives an answer up that is not read
	}
	for {
		answer, through, more, err := x.ask(limit)
		if err != nil {
			return err
		}
		n, err := x.copy(out, answer.Body)
		answer.Body.Close()
		if err == nil {
			err = sync()
		}
		if err != nil {
			return err
		}
		x.cursor.After, x.cursor.Bytes = through, x.cursor.Bytes+n
		if err := x.cursor.Save(); err != nil || !more {
			return err
		}
		x.bar.Set(x.done, 0, "events")
	}
}

// copy copies the lines of an answer. Only the first one of all has the heading of CSV.
func (x *export) copy(to io.Writer, from io.Reader) (n int64, err error) {
	buffered := bufio.NewReaderSize(from, 1<<20)
	if x.Format == "csv" {
		heading, err := buffered.ReadSlice('\n')
		if err != nil {
			return 0, brokeOff(err)
		}
		if x.cursor.After == 0 {
			if _, err := to.Write(heading); err != nil {
				return 0, err
			}
			n = int64(len(heading))
		}
	}
	for {
		if x.s.Context.Err() != nil {
			return n, client.ErrInterrupted
		}
		part, err := buffered.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(part) == 0 {
			return n, nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return n, brokeOff(err)
		}
		if err == nil { // the end of a line
			x.done++
			if x.Rate > 0 {
				if err := x.limiter.Wait(x.s.Context); err != nil {
					return n, client.ErrInterrupted
				}
			}
			// Whole lines that are there already go together.
			if ahead, _ := buffered.Peek(buffered.Buffered()); x.Rate == 0 && len(ahead) > 0 {
				whole := bytes.LastIndexByte(ahead, '\n') + 1
				part = append(bytes.Clone(part), ahead[:whole]...)
				x.done += int64(bytes.Count(ahead[:whole], []byte("\n")))
				buffered.Discard(whole)
			}
		}
		w, err := to.Write(part)
		if n += int64(w); err != nil {
			return n, err
		}
	}
}

func brokeOff(err error) error { return fmt.Errorf("the hub's answer broke off: %w", err) }

func (x *export) toReceiver() error {
	var token string
	if x.TokenFile != "" {
		text, err := os.ReadFile(x.TokenFile)
		if err != nil {
			return err
		}
		token = strings.TrimSpace(string(text))
	}
	to, err := exports.Dial(x.To, token)
	if err != nil {
		return err
	}
	defer to.Close()
	for {
		answer, through, more, err := x.ask(eventsPerReceiver)
		if err != nil {
			return err
		}
		// All of it at first: the hub gives an answer up that is not read.
		text, whole, err := readLines(answer.Body)
		answer.Body.Close()
		if err != nil {
			return err
		}
		err = x.deliver(to, text)
		if err == nil && whole {
			x.cursor.After = through
		}
		if serr := x.cursor.Save(); err == nil {
			err = serr
		}
		if err != nil || whole && !more {
			return err
		}
		x.bar.Set(x.done, 0, "events")
	}
}

// readLines reads an answer, or the first lines of a large one.
func readLines(from io.Reader) (text []byte, whole bool, err error) {
	buffered := bufio.NewReader(from)
	for len(text) < bytesPerReceiver {
		line, err := buffered.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return text, true, nil
		}
		if err != nil {
			return nil, false, brokeOff(err)
		}
		text = append(text, line...)
	}
	return text, false, nil
}

// deliver sends events, and moves the cursor with those that have arrived.
func (x *export) deliver(to exports.Receiver, text []byte) error {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		e, err := cloudevent.Parse(line)
		if err != nil {
			return err
		}
		err = x.limiter.Wait(x.s.Context)
		if err == nil {
			err = to.Send(x.s.Context, &e, line)
		}
		if x.s.Context.Err() != nil || errors.Is(err, context.Canceled) {
			return client.ErrInterrupted
		}
		if err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
		x.done++
		x.cursor.After = e.Seq
		if time.Since(x.saved) > time.Second {
			x.saved = time.Now()
			if err := x.cursor.Save(); err != nil {
				return err
			}
		}
	}
	return nil
}
