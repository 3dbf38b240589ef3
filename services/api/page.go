package api

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"hubledger/projections/catalog"
)

// Paging is what every list accepts.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"25" doc:"At most so many entries"`
	Cursor string `query:"cursor" maxLength:"700" doc:"Where the page begins: from the next of the one before"`
}

// A list is one page.
type list[T any] struct {
	Link string `header:"Link" doc:"Address of the next page, rel=\"next\""`
	Body listBody[T]
}

type listBody[T any] struct {
	Items []T    `json:"items" nullable:"false" doc:"What is on the page"`
	Next  string `json:"next,omitempty" doc:"Address of the next page; absent on the last"`
}

// pageOf makes a page of the entries behind a cursor. all has one entry more
// than the page when there is another page; cursor is that of a page's last entry.
func pageOf[T any](c *call, all []T, limit int, cursor func(last T) string) *list[T] {
	out := &list[T]{Body: listBody[T]{Items: all}}
	if out.Body.Items == nil {
		out.Body.Items = []T{}
	}
	if len(all) > limit {
		out.Body.Items = all[:limit]
		c.more(&out.Body.Next, &out.Link, cursor(all[limit-1]))
	}
	return out
}

// wholeList is a list that is never parted: of what one may have only so many.
func wholeList[T any](all []T) *list[T] {
	if all == nil {
		all = []T{}
	}
	return &list[T]{Body: listBody[T]{Items: all}}
}

// more points to the next page, in the body and the header.
func (c *call) more(next, link *string, cursor string) {
	*next = c.pageAt(cursor)
	*link = "<" + *next + `>; rel="next"`
}

// pageAt is the address of the same list behind a cursor, without the host.
func (c *call) pageAt(cursor string) string {
	q := url.Values{}
	for name, values := range c.request.URL.Query() {
		q[name] = values
	}
	q.Set("cursor", cursor)
	return c.request.URL.EscapedPath() + "?" + q.Encode()
}

// A cursor is opaque to clients: a version and the place, in base64.
const cursorVersion = "1"

func cursorAt(place string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorVersion + place))
}

// maxPlace bounds a cursor's place in bytes: the longest name fits twice.
const maxPlace = 2 * 255

// parseCursor reads a cursor; "" is the beginning.
func parseCursor(cursor string) (place string, err error) {
	if cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	place, ok := strings.CutPrefix(string(raw), cursorVersion)
	if err != nil || !ok || place == "" || len(place) > maxPlace || !utf8.ValidString(place) || strings.ContainsRune(place, 0) {
		return "", badCursor()
	}
	return place, nil
}

// parseOffset reads the cursor of a list that has no other order than its
// rank; such lists end after catalog.MaxWindow.
func parseOffset(cursor string) (int, error) {
	place, err := parseCursor(cursor)
	if err != nil || place == "" {
		return 0, err
	}
	n, err := strconv.Atoi(place)
	if err != nil || n < 0 || n >= catalog.MaxWindow || strconv.Itoa(n) != place {
		return 0, badCursor()
	}
	return n, nil
}

func badCursor() *problem { return invalid("query.cursor", "this is no cursor of this list") }
