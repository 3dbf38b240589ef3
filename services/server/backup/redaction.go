package backup

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/plaintext"
	"hubledger/services/internal/service"
)

// A Redaction leaves out what events said, and says who has done so, and why. The zero
// Redaction leaves everything as it is.
type Redaction struct {
	Events []uint64 // sequences; see events.Redact
	// Reason is why, in a line that everybody may read who reads the whole log. It must not
	// repeat what is taken away.
	Reason string
	By     string // who does it; "" when nobody says so
}

// Bounds of what a Redaction says, in characters, and of its events.
const (
	maxReason   = 500
	maxBy       = 100
	maxRedacted = 100_000
)

// ErrReason: what events said is not taken away without a word.
var ErrReason = errors.New("the log has to say why events were redacted: give --reason (one line, at most 500 characters) and --by (at most 100 characters), and do not repeat what is redacted")

// adds is how many events it adds to a restored log.
func (r Redaction) adds() uint64 { return uint64(min(len(r.Events), 1)) }

// check is the redaction with its events in order, each once. ErrReason.
func (r Redaction) check(of Summary) (Redaction, error) {
	r.Events = slices.Compact(slices.Sorted(slices.Values(r.Events)))
	for _, seq := range r.Events {
		if seq == 0 || seq > of.Events {
			return r, fmt.Errorf("event %d cannot be redacted: the backup has events 1 to %d", seq, of.Events)
		}
	}
	if len(r.Events) > maxRedacted {
		return r, fmt.Errorf("%d events are redacted at once, %d can be", len(r.Events), maxRedacted)
	}
	r.Reason, r.By = strings.TrimSpace(r.Reason), strings.TrimSpace(r.By)
	bad := func(text string, most int) bool {
		return !plaintext.IsLine(text) || utf8.RuneCountInString(text) > most
	}
	if len(r.Events) > 0 && (r.Reason == "" || bad(r.Reason, maxReason) || bad(r.By, maxBy)) {
		return r, ErrReason
	}
	return r, nil
}

// event is the one that says so, behind the events of the backup, the last of which was at
// that time.
func (r Redaction) event(of Summary, last time.Time) (events.Event, error) {
	id, err := command.NewID()
	if err != nil {
		return events.Event{}, err
	}
	e, err := events.New(events.LogRedacted{Generation: of.Generation, Events: r.Events, Reason: r.Reason, By: r.By},
		events.Meta{ID: id, Source: "/restore", Actor: "operator"})
	if err != nil {
		return e, err
	}
	at := time.Now().UTC()
	if at.Before(last) { // the order of the log is that of its times
		at = last
	}
	e.Seq = of.Events + 1
	e.Set(events.AttrTime, at.Format(events.TimeLayout))
	return e, nil
}

// shownRedacted is how many of the redacted events a sentence names.
const shownRedacted = 20

// Sentences tell what a restore has written into the log.
var Sentences = []service.Sentence{
	service.Tell(func(_ service.Names, e events.LogRedacted) string {
		var b strings.Builder
		b.WriteString("restored the hub without what ")
		for k, seq := range e.Events[:min(len(e.Events), shownRedacted)] {
			switch {
			case k == 0 && len(e.Events) == 1:
				b.WriteString("event ")
			case k == 0:
				b.WriteString("the events ")
			case k == len(e.Events)-1:
				b.WriteString(" and ")
			default:
				b.WriteString(", ")
			}
			fmt.Fprint(&b, seq)
		}
		if more := len(e.Events) - shownRedacted; more > 0 {
			fmt.Fprintf(&b, " and %d more", more)
		}
		b.WriteString(" said")
		if e.By != "" {
			fmt.Fprintf(&b, " (done by %s, who was not checked)", e.By)
		}
		return b.String() + ": " + e.Reason
	}),
}
