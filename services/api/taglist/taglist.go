// Package taglist orders all tags of a repository, and finds those whose name has a
// text in it. The tags are kept in memory until one of them changes.
package taglist

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
)

// MaxTags bounds the tags of a repository that can be put in another order than by name.
const MaxTags = 100_000

// ErrTooMany says that a repository has more than MaxTags.
var ErrTooMany = errors.New("a repository with more than 100,000 tags is listed by name, without a filter")

// Source reads the tags: images.Reader.
type Source interface {
	TagEntries(ctx context.Context, repo string, n int) ([]images.TagEntry, error)
	Sizes(ctx context.Context, repo string) (map[digest.Digest]int64, error)
}

// A List is the tags of one repository. It does not change.
type List struct {
	source Source
	repo   string
	tags   []images.TagEntry // in byte order
	lower  []string          // their names in lower case
	same   map[digest.Digest][]string

	versions, pushed func() []int
	mu               sync.Mutex
	bySize           []int
}

func newList(source Source, repo string, tags []images.TagEntry) *List {
	l := &List{source: source, repo: repo, tags: tags, lower: make([]string, len(tags)), same: map[digest.Digest][]string{}}
	for k, t := range tags {
		l.lower[k] = strings.ToLower(t.Name)
		l.same[t.Digest] = append(l.same[t.Digest], t.Name)
	}
	l.versions = sync.OnceValue(func() []int {
		keys := make([]version, len(tags))
		for k, t := range tags {
			keys[k] = versionOf(t.Name)
		}
		return l.order(func(a, b int) int { return keys[a].compare(keys[b]) })
	})
	l.pushed = sync.OnceValue(func() []int {
		return l.order(func(a, b int) int { return tags[b].Pushed.Compare(tags[a].Pushed) })
	})
	return l
}

// order sorts the places of all tags; those that compare as equal stay by name.
func (l *List) order(compare func(a, b int) int) []int {
	places := make([]int, len(l.tags))
	for k := range places {
		places[k] = k
	}
	slices.SortFunc(places, func(a, b int) int { return cmp.Or(compare(a, b), cmp.Compare(a, b)) })
	return places
}

// ByVersion is the newest version first, then names that are none.
func (l *List) ByVersion() []int { return l.versions() }

// ByPush is the one pushed last first.
func (l *List) ByPush() []int { return l.pushed() }

// ByName is the order of bytes.
func (l *List) ByName() []int { return l.order(func(a, b int) int { return 0 }) }

// BySize is the largest download first.
func (l *List) BySize(ctx context.Context) ([]int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bySize == nil {
		sizes, err := l.source.Sizes(ctx, l.repo)
		if err != nil {
			return nil, err
		}
		l.bySize = l.order(func(a, b int) int { return cmp.Compare(sizes[l.tags[b].Digest], sizes[l.tags[a].Digest]) })
	}
	return l.bySize, nil
}

// By is the one with the largest number first.
func (l *List) By(number func(tag string) int64) []int {
	numbers := make([]int64, len(l.tags))
	for k, t := range l.tags {
		numbers[k] = number(t.Name)
	}
	return l.order(func(a, b int) int { return cmp.Compare(numbers[b], numbers[a]) })
}

// Find names the tags that have a text in their name, whatever its case, in an
// order of the list.
func (l *List) Find(order []int, text string) []string {
	text = strings.ToLower(text)
	names := make([]string, 0, len(order))
	for _, k := range order {
		if strings.Contains(l.lower[k], text) {
			names = append(names, l.tags[k].Name)
		}
	}
	return names
}

// Same names the other tags of an image, in byte order, at most n.
func (l *List) Same(of images.TagDetail, n int) []string {
	list := []string{}
	for _, name := range l.same[of.Digest] {
		if len(list) == n { // of the other ones, which may be all that there are
			break
		}
		if name != of.Name {
			list = append(list, name)
		}
	}
	return list
}

// Preferred is the tag for a command that pulls the repository: latest, which clients take
// when none is named, or else the one pushed last; "" where there is none.
func (l *List) Preferred() string {
	if len(l.tags) == 0 {
		return ""
	}
	if _, has := slices.BinarySearchFunc(l.tags, latest, func(t images.TagEntry, name string) int { return cmp.Compare(t.Name, name) }); has {
		return latest
	}
	return l.tags[l.pushed()[0]].Name
}

const latest = "latest"

// Len is how many tags there are; 0 for no list.
func (l *List) Len() int {
	if l == nil {
		return 0
	}
	return len(l.tags)
}
