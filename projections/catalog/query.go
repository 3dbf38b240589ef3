package catalog

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	// MaxWindow is how many entries of a result can be paged through: Offset and
	// Limit together are at most that, and a total counts no further.
	MaxWindow = 1000
	// MaxText is the longest text that is searched for, in bytes.
	MaxText = 200
	// MaxOnly is how many names a search can be limited to.
	MaxOnly = 1000

	defaultLimit = 25
	maxTerms     = 8 // words of a text that count; a bound on the number of different statements
)

// ErrQuery says that a query is invalid or asks for more than its limits.
var ErrQuery = errors.New("invalid search")

// Sort is the order of a list without a text.
type Sort string

const (
	ByMatch   Sort = ""        // best match first; without a text the same as ByStars
	ByStars   Sort = "stars"   // most stars first, then most pulls, then by name
	ByUpdated Sort = "updated" // latest push first; the creation counts as one
	ByName    Sort = "name"    // in byte order
)

// A Query asks for repositories.
//
// A text of one word finds, in this order: the repository of that name, names
// that begin with it, names with a component that begins with it, names that
// contain it, similar names if few were found so far, and last repositories with
// its words in description or topics. A text of one or two letters is not looked
// for inside names.
//
// A text of several words finds repositories whose name contains each of them,
// and last those with each among the words of name, description and topics. Words
// after the eighth do not count. Equally good matches are ordered ByStars.
type Query struct {
	Text    string  // what a person typed; "" for all
	Topic   string  // only repositories with this topic; "" for any
	Visible Visible // what the person may see
	Sort    Sort    // when there is no Text
	Offset  int
	Limit   int // 0 means 25
}

// A parsedQuery is a Query that was checked, with the terms of its text.
type parsedQuery struct {
	Query
	term  string   // the only term, if it can be in a name
	terms []string // several terms, if all can be in a name
	words []string // words of all terms, in order
	need  int      // Offset and Limit together, rounded up so that there are few different statements
}

// nameable matches texts that can be in a repository's name.
var nameable = regexp.MustCompile(`^[a-z0-9._/-]+$`)

// minInside is the least length in bytes of a text that is looked for inside names.
const minInside = 3

func parse(q Query) (parsedQuery, error) {
	a := parsedQuery{Query: q}
	if a.Limit == 0 {
		a.Limit = defaultLimit
	}
	switch {
	case a.Limit < 0 || a.Offset < 0 || a.Offset > MaxWindow || a.Limit > MaxWindow-a.Offset:
		return a, fmt.Errorf("%w: offset and limit together are at most %d", ErrQuery, MaxWindow)
	case len(q.Text) > MaxText || len(q.Topic) > MaxText:
		return a, fmt.Errorf("%w: a text has at most %d bytes", ErrQuery, MaxText)
	case len(q.Visible.Only) > MaxOnly:
		return a, fmt.Errorf("%w: limited to more than %d names", ErrQuery, MaxOnly)
	case !slices.Contains([]Sort{ByMatch, ByStars, ByUpdated, ByName}, q.Sort):
		return a, fmt.Errorf("%w: there is no order %q", ErrQuery, q.Sort)
	}
	a.need = (a.Offset + a.Limit + 31) &^ 31
	a.Text = strings.ToLower(strings.TrimSpace(strings.ToValidUTF8(q.Text, " ")))
	if a.Text == "" {
		return a, nil
	}
	// "library/busybox" and "busybox" are one repository.
	if rest, ok := strings.CutPrefix(a.Text, "library/"); ok && rest != "" && !strings.Contains(rest, "/") {
		a.Text = rest
	}
	a.Sort, a.words = ByMatch, split(a.Text)
	a.words = a.words[:min(len(a.words), maxTerms)]
	var terms []string
	long := false
	for _, term := range strings.Fields(a.Text) {
		if split(term) == nil {
			continue // it has no letter or digit, such as a dash between words
		}
		if !nameable.MatchString(term) {
			return a, nil
		}
		long = long || len(term) >= minInside
		if terms = append(terms, term); len(terms) == maxTerms {
			break
		}
	}
	switch {
	case len(terms) == 1:
		a.term = terms[0]
	case long:
		a.terms = terms
	}
	return a, nil
}

// inNames is what the index of trigrams is searched for to find names with the
// terms; the zero needle when they are too short.
func (a *parsedQuery) inNames() (n needle) {
	if a.term != "" && len(a.term) >= minInside {
		n.names = []string{a.term}
	}
	for _, term := range a.terms {
		if len(term) >= minInside {
			n.names = append(n.names, term)
		}
	}
	return n
}

// hasWords is true of entries that have all of the words.
func (s *stmt) hasWords(words []string) string {
	all := make([]string, len(words))
	for k, w := range words {
		all[k] = s.contains("e.words", " "+w+" ")
	}
	return strings.Join(all, " AND ")
}

// nameMatches is true of entries whose names match the terms, "" when none can.
func (s *stmt) nameMatches(a *parsedQuery) string {
	switch {
	case a.term != "" && len(a.term) < minInside:
		return "(" + s.begins("e.name", a.term) + " OR " + s.contains("e.name", "/"+a.term) + ")"
	case a.term != "":
		return s.contains("e.name", a.term)
	}
	var all []string
	for _, term := range a.terms {
		all = append(all, s.contains("e.name", term))
	}
	return strings.Join(all, " AND ")
}
