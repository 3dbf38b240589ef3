package images

import (
	"net/url"
	"strconv"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// maxStretches bounds the pages of a tag's history that are looked through for a moment.
const maxStretches = 10

type span = apitypes.TagSpan

// A stretch is a page of a tag's history, with its cursor and that of the next one.
type stretch struct {
	Spans        []span // the latest first; never empty
	Cursor, Next string
}

// A pastPage is the history of a tag, at one moment of it.
type pastPage struct {
	Repository apitypes.RepositoryDetails
	Name       string
	Tag        *shownTag // as it is now; nil when it is not there
	stretch
	At       span // the moment
	Place    int  // of the moment on the slider: 1 is the earliest of the page
	TooEarly bool // the tag was not there yet at the time that was asked for
}

// showPast shows the tag at the moment that the address says: an event, a time, or a place
// of the slider, which leads to the address of its event.
func showPast(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	p := pastPage{Repository: r, Name: v.Path("tag")}
	if p.Tag, err = tagNow(v); err != nil {
		return nil, err
	}
	want, from := wanted(v)
	k := 0
	if p.stretch, k, err = findSpan(v, from, want); err != nil {
		return nil, err
	}
	if k < 0 {
		if p.TooEarly = v.Query("when") != ""; !p.TooEarly {
			return nil, endpoint.NotFound()
		}
		k = len(p.Spans) - 1
	}
	if place, err := strconv.Atoi(v.Query("place")); err == nil {
		k = len(p.Spans) - max(1, min(place, len(p.Spans)))
		return nil, v.Lead(p.Moment(v, p.Spans[k].Seq))
	}
	p.At, p.Place = p.Spans[k], len(p.Spans)-k
	return p, nil
}

// wanted says which moment of the history is looked for, and from which page on.
func wanted(v *frame.Visit) (want func(span) bool, cursor string) {
	if at, err := strconv.ParseUint(v.Query("at"), 10, 64); err == nil {
		return func(s span) bool { return s.Seq == at }, v.Query("cursor")
	}
	if when, err := time.Parse("2006-01-02T15:04", v.Query("when")); err == nil {
		return func(s span) bool { return s.From.Before(when.Add(time.Minute)) }, ""
	}
	return func(span) bool { return true }, v.Query("cursor")
}

// tagNow is the tag of the page's address, nil when it is not there.
func tagNow(v *frame.Visit) (*shownTag, error) {
	tag, err := frame.Get[apitypes.Tag](v, frame.Path("repositories", v.Repo(), "tags", v.Path("tag")), nil)
	if frame.Missing(err) {
		return nil, nil
	}
	return &shownTag{tag}, err
}

// findSpan looks for the latest moment of a kind in the history of the page's tag, from the
// page at a cursor on: its place in the last page that was read, or -1.
func findSpan(v *frame.Visit, from string, want func(span) bool) (s stretch, k int, err error) {
	for range maxStretches {
		q := url.Values{"limit": {"50"}}
		if from != "" {
			q.Set("cursor", from)
		}
		list, err := frame.Get[apitypes.List[span]](v, frame.Path("repositories", v.Repo(), "tags", v.Path("tag"), "history"), q)
		if err != nil {
			return s, -1, err
		}
		if len(list.Items) == 0 {
			return s, -1, endpoint.NotFound()
		}
		s = stretch{Spans: list.Items, Cursor: from}
		if u, err := url.Parse(list.Next); err == nil {
			s.Next = u.Query().Get("cursor")
		}
		for k, at := range s.Spans {
			if want(at) {
				return s, k, nil
			}
		}
		if from = s.Next; from == "" {
			break
		}
	}
	return s, -1, nil
}

// Moment is the address of a moment of the page.
func (s stretch) Moment(v *frame.Visit, seq uint64) string {
	return pastAt(v, url.Values{"cursor": {s.Cursor}, "at": {strconv.FormatUint(seq, 10)}})
}

// Before is the address of the page with what was before, "" for none.
func (s stretch) Before(v *frame.Visit) string {
	if s.Next == "" {
		return ""
	}
	return pastAt(v, url.Values{"cursor": {s.Next}})
}

func pastAt(v *frame.Visit, q url.Values) string {
	for name := range q {
		if q.Get(name) == "" {
			q.Del(name)
		}
	}
	return (&url.URL{Path: v.Request.URL.Path, RawQuery: q.Encode()}).String()
}

// Earliest, Earlier, Later and Latest are the moments of the page to go to, 0 for none.
func (p pastPage) Earliest() uint64 { return p.moment(1) }
func (p pastPage) Earlier() uint64  { return p.moment(p.Place - 1) }
func (p pastPage) Later() uint64    { return p.moment(p.Place + 1) }
func (p pastPage) Latest() uint64   { return p.moment(len(p.Spans)) }

func (p pastPage) moment(place int) uint64 {
	if place < 1 || place > len(p.Spans) || place == p.Place {
		return 0
	}
	return p.Spans[len(p.Spans)-place].Seq
}

// Now says whether the tag names that image now.
func (p pastPage) Now(digest string) bool { return p.Tag != nil && p.Tag.Digest == digest }
