package frame

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"hubledger/services/internal/asof"
	"hubledger/services/internal/endpoint"
)

// minute is how a browser writes a time that was chosen in a form.
const minute = "2006-01-02T15:04"

// Point is a point in time as the API reads it. One that was chosen in a form is in UTC, and means the end of that minute, or
// now if that has not come. "" for none.
func Point(text string) string {
	t, err := time.Parse(minute, text)
	if err != nil {
		return text
	}
	if end, now := t.Add(time.Minute-time.Microsecond), time.Now().UTC(); t.After(now) || end.Before(now) {
		t = end
	} else {
		t = now
	}
	return t.Format(time.RFC3339Nano)
}

// chosen is a point in time as a form has it, "" for one that is the sequence of an event.
func chosen(text string) string {
	p, err := asof.Parse(Point(text))
	if err != nil || p.Time.IsZero() {
		return ""
	}
	return p.Time.Format(minute)
}

// then tells people which point in time it is; "" when it is none.
func then(text string) string {
	p, err := asof.Parse(Point(text))
	switch {
	case err != nil:
		return ""
	case p.Time.IsZero():
		return "when event " + Number(p.Seq) + " was the last"
	}
	return "at " + p.Time.Format("2006-01-02 15:04") + " UTC"
}

// Past is the earlier time that the page shows, as its address has it in ?as_of=; "" while it
// shows how things are, as after a form was sent.
func (v *Visit) Past() string {
	if !v.past {
		return ""
	}
	return v.Query("as_of")
}

// Then is the query of links to other pages as of the time that the page shows, "" for now.
func (v *Visit) Then() template.URL {
	if v.Past() == "" {
		return ""
	}
	return "?as_of=" + queryValue(v.Past())
}

// InPast asks a list of the API for the time that the page shows.
func (v *Visit) InPast(q url.Values) url.Values {
	if at := v.Past(); at != "" {
		q.Set("as_of", Point(at))
	}
	return q
}

// notThen says that the API has no answer for the time that the address of the page has: the
// page then shows how things are, and why that was no answer.
func (v *Visit) notThen(err error) bool {
	var p *endpoint.Problem
	if v.Past() == "" || !errors.As(err, &p) || p.Status != http.StatusUnprocessableEntity {
		return false
	}
	v.Problem = p
	if v.past = v.Wrong("as_of") == ""; v.past {
		v.Problem = nil
	}
	return !v.past
}
