package ledger

import (
	"errors"
	"net/http"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/eventquery"
	"hubledger/services/web/frame"
)

// pageSize is how many events a page has.
const pageSize = "50"

// An eventsPage is what the audit log shows.
type eventsPage struct {
	Page  apitypes.EventPage
	Days  []day
	Chips []chip
	// Wrong is what is wrong with the filter, "" for nothing.
	Wrong      string
	Qualifiers []eventquery.Qualifier
	First      bool // no cursor: new events come in at the top

	query eventquery.Query // what is asked for
	added map[[2]string]string
}

// A day has the events of one day, in UTC.
type day struct {
	Date   time.Time
	Events []apitypes.Event
}

// A chip is one term of the filter, and the address of the page without it, or with its
// opposite.
type chip struct{ Text, Without, Opposite string }

func showEvents(v *frame.Visit) (any, error) {
	p := eventsPage{Qualifiers: eventquery.Qualifiers, First: v.Query("cursor") == "" && v.Query("order") != "oldest"}
	q := v.Asked("q", "cursor", "order")
	q.Set("limit", pageSize)
	query, err := eventquery.Parse(v.Query("q"))
	var wrong *eventquery.Error
	if errors.As(err, &wrong) {
		p.Wrong = wrong.Error()
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.query, p.added = query, map[[2]string]string{}
	for _, t := range query.Terms {
		c := chip{Text: t.String(), Without: v.With("q", query.Without(t).String())}
		opposite := t
		opposite.Not = !t.Not
		if turned, err := query.Without(t).With(opposite); err == nil {
			c.Opposite = v.With("q", turned.String())
		}
		p.Chips = append(p.Chips, c)
	}
	if p.Page, err = frame.Get[apitypes.EventPage](v, "/events", q); err != nil {
		var problem *endpoint.Problem
		if errors.As(err, &problem) && problem.Status == http.StatusUnprocessableEntity {
			p.Wrong = problem.Detail
			for _, e := range problem.Errors {
				p.Wrong = e.Error()
			}
			return p, nil
		}
		return nil, err
	}
	for _, e := range p.Page.Items {
		date := e.Time.UTC().Truncate(24 * time.Hour)
		if n := len(p.Days) - 1; n < 0 || !p.Days[n].Date.Equal(date) {
			p.Days = append(p.Days, day{Date: date})
		}
		last := &p.Days[len(p.Days)-1]
		last.Events = append(last.Events, e)
	}
	return p, nil
}

// Add is the address of the page with one term more. Most of a page are the same few ones.
func (p eventsPage) Add(v *frame.Visit, name, value string) string {
	term := [2]string{name, value}
	if p.added[term] == "" {
		query, err := p.query.With(eventquery.Term{Name: name, Value: value})
		if err != nil { // as much as a filter may have is there already
			return v.Here()
		}
		p.added[term] = v.With("q", query.String())
	}
	return p.added[term]
}
