package catalog

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	// MaxWindow is how far into the results of a search one can go, in entries:
	// Offset and Limit together come to that at most, and the total counts no further.
	MaxWindow = 1000
	// MaxText is the longest text that is searched for, in bytes.
	MaxText = 200
	// MaxOnly is how many names a search can be limited to.
	MaxOnly = 1000

	defaultLimit = 25
	maxTerms     = 8 // words of a text that count; so there are not too many different statements
)

// ErrQuery says that a query asks for more than a search gives.
var ErrQuery = errors.New("invalid search")

// Sort is the order of a list without a text.
type Sort string

const (
	ByMatch   Sort = ""        // as ByStars, where there is nothing to match
	ByStars   Sort = "stars"   // most stars first, then most pulls, then by name
	ByUpdated Sort = "updated" // the last push first; before any it is the creation
	ByName    Sort = "name"    // in byte order
)

// A Query asks for repositories. A text of one word finds, in this order: the
// repository of that name, names that begin with it, names with a component
// that begins with it, names that have it anywhere, similar names if there are
// few of these, and last what has its words in description or topics. A text of
// one or two letters is not looked for inside of names. Of several words each
// must be in the name, or each be a word of name, description or topics; those
// behind the eighth do not count. What matches alike is ordered ByStars.
type Query struct {
	Text    string  // what a person typed; "" for all
	Topic   string  // of that topic only; "" for any
	Visible Visible // of those who ask
	Sort    Sort    // when there is no Text
	Offset  int
	Limit   int // 0 means 25
}

// An ask is a Query, checked and taken apart.
type ask struct {
	Query
	term  string   // the only term, if it can be in a name
	terms []string // several, if all can be in a name
	words []string // words of all terms, in order
	need  int      // hits from the first on, rounded up so that there are few different statements
}

// nameable is a text that can be in a repository's name.
var nameable = regexp.MustCompile(`^[a-z0-9._/-]+$`)

// whole is the least length of a text that is looked for inside of names.
const whole = 3

func parse(q Query) (ask, error) {
	a := ask{Query: q}
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
	for a.need = 32; a.need < a.Offset+a.Limit; {
		a.need *= 2
	}
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
			continue // a dash between words, say
		}
		if !nameable.MatchString(term) {
			return a, nil
		}
		long = long || len(term) >= whole
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

// inNames is what the index is asked for to find names; the zero needle when
// it is no help.
func (a *ask) inNames() (n needle) {
	if a.term != "" && len(a.term) >= whole {
		n.names = []string{a.term}
	}
	for _, term := range a.terms {
		if len(term) >= whole {
			n.names = append(n.names, term)
		}
	}
	return n
}

// worded is true of entries that have all of the words.
func (s *stmt) worded(words []string) string {
	all := make([]string, len(words))
	for k, w := range words {
		all[k] = s.contains("e.words", " "+w+" ")
	}
	return strings.Join(all, " AND ")
}

// named is true of entries whose names match, "" when none can.
func (s *stmt) named(a *ask) string {
	switch {
	case a.term != "" && len(a.term) < whole:
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
