package openapi

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"hubledger/projections/catalog"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
)

// Paging is what every list accepts.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"25" doc:"How many entries at most"`
	Cursor string `query:"cursor" maxLength:"700" doc:"Where the page begins: from the next of the one before"`
}

// Listing is what a list of names accepts.
type Listing struct {
	Paging
	Q string `query:"q" maxLength:"128" doc:"Only those with this text in their name"`
}

// A RepositoryPath names a repository.
type RepositoryPath struct {
	Namespace string `path:"namespace" maxLength:"200" doc:"A user or an organization; library for top-level images"`
	Name      string `path:"name" maxLength:"200" doc:"The rest of the name; slashes as they are or as %2F"`
}

// A List is one page.
type List[T any] struct {
	Link string `header:"Link" doc:"Address of the next page, rel=\"next\""`
	Body apitypes.List[T]
}

// Page makes a page of the entries behind a cursor. all has one entry more
// than the page when there is another page; cursor is that of a page's last entry.
func Page[T any](c *endpoint.Call, all []T, limit int, cursor func(last T) string) *List[T] {
	if len(all) <= limit {
		return WholeList(all)
	}
	out := WholeList(all[:limit])
	out.Continue(c, cursor(all[limit-1]))
	return out
}

// PageOf is the page of things that were read as a whole, in the order of their names, by
// which they are told apart.
func PageOf[T any](c *endpoint.Call, all []T, in Listing, name func(T) string) (*List[T], error) {
	last, err := ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(slices.Clone(all), func(v T) bool { return !strings.Contains(name(v), strings.ToLower(in.Q)) })
	slices.SortFunc(found, func(a, b T) int { return strings.Compare(name(a), name(b)) })
	from := 0
	for from < len(found) && last != "" && name(found[from]) <= last {
		from++
	}
	out := Page(c, found[from:min(len(found), from+in.Limit+1)], in.Limit, func(v T) string { return CursorAt(name(v)) })
	out.Body.Total = len(found)
	return out, nil
}

// WholeList is a list without pages, of things whose number is limited.
func WholeList[T any](all []T) *List[T] {
	if all == nil {
		all = []T{}
	}
	return &List[T]{Body: apitypes.List[T]{Items: all}}
}

// Continue points to the next page, behind a cursor, in the body and the header.
func (l *List[T]) Continue(c *endpoint.Call, cursor string) {
	l.Body.Next, l.Link = Next(c, cursor)
}

// Next is the address of a page behind a cursor, without the host, and the header Link
// with it.
func Next(c *endpoint.Call, cursor string) (address, link string) {
	q := url.Values{}
	for name, values := range c.Request.URL.Query() {
		q[name] = values
	}
	q.Set("cursor", cursor)
	address = c.Request.URL.EscapedPath() + "?" + q.Encode()
	return address, "<" + address + `>; rel="next"`
}

// A cursor is opaque to clients: a version and a place in the list, in base64.
const cursorVersion = "1"

// CursorAt makes the cursor of a place in a list.
func CursorAt(place string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorVersion + place))
}

// maxPlace bounds a cursor's place in bytes: twice the longest name.
const maxPlace = 2 * 255

// ParseCursor reads a cursor; "" is the beginning.
func ParseCursor(cursor string) (place string, err error) {
	if cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	place, ok := strings.CutPrefix(string(raw), cursorVersion)
	if err != nil || !ok || place == "" || len(place) > maxPlace || !utf8.ValidString(place) || strings.ContainsRune(place, 0) {
		return "", BadCursor()
	}
	return place, nil
}

// ParseOffset reads the cursor of a list that is ordered by rank, which is a
// number of entries. Such lists end after catalog.MaxWindow.
func ParseOffset(cursor string) (int, error) {
	place, err := ParseCursor(cursor)
	if err != nil || place == "" {
		return 0, err
	}
	n, err := strconv.Atoi(place)
	if err != nil || n < 0 || n >= catalog.MaxWindow || strconv.Itoa(n) != place {
		return 0, BadCursor()
	}
	return n, nil
}

// CursorAtSequence makes the cursor of a place in a list by sequence.
func CursorAtSequence(seq uint64) string { return CursorAt(strconv.FormatUint(seq, 10)) }

// BadCursor refuses a cursor.
func BadCursor() *endpoint.Problem {
	return endpoint.Invalid("query.cursor", "this is no cursor of this list")
}

// ParseSequence reads the cursor of a list by sequence; 0 is the beginning.
func ParseSequence(cursor string) (uint64, error) {
	place, err := ParseCursor(cursor)
	if err != nil || place == "" {
		return 0, err
	}
	n, err := strconv.ParseUint(place, 10, 63)
	if err != nil || n == 0 {
		return 0, BadCursor()
	}
	return n, nil
}
