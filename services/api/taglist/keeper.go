package taglist

import (
	"context"
	"strings"
	"sync"

	"hubledger/projections"
)

// maxKept bounds the tags of all lists that are kept, at about 200 bytes each.
const maxKept = 300_000

// A Keeper keeps the lists that were asked for last, until a commit changes them.
type Keeper struct {
	source Source

	mu      sync.Mutex
	kept    map[string]*kept
	size    int
	clock   uint64
	changes uint64            // how many commits there were
	changed map[string]uint64 // when each repository changed last, while lists are being read
	reading int
}

// A kept is the list of one repository; nil says that it has too many tags.
type kept struct {
	list *List
	used uint64
}

func (l *kept) answer() (*List, error) {
	if l.list == nil {
		return nil, ErrTooMany
	}
	return l.list, nil
}

// NewKeeper makes one that keeps nothing yet.
func NewKeeper(source Source) *Keeper {
	return &Keeper{source: source, kept: map[string]*kept{}, changed: map[string]uint64{}}
}

// Of is the list of a repository's tags. ErrTooMany.
func (k *Keeper) Of(ctx context.Context, repo string) (*List, error) {
	k.mu.Lock()
	k.clock++
	if l := k.kept[repo]; l != nil {
		l.used = k.clock
		k.mu.Unlock()
		return l.answer()
	}
	began := k.changes
	k.reading++
	k.mu.Unlock()
	tags, err := k.source.TagEntries(ctx, repo, MaxTags+1)
	l := &kept{}
	if err == nil && len(tags) <= MaxTags {
		l.list = newList(k.source, repo, tags)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil && k.changed[repo] <= began && k.changed[""] <= began {
		k.keep(repo, l)
	}
	if k.reading--; k.reading == 0 {
		clear(k.changed)
	}
	if err != nil {
		return nil, err
	}
	return l.answer()
}

// keep keeps a list, in place of those that were not asked for the longest.
func (k *Keeper) keep(repo string, l *kept) {
	k.drop(repo)
	for k.size+l.list.Len() > maxKept && len(k.kept) > 0 {
		oldest, at := "", k.clock+1
		for r, other := range k.kept {
			if other.used < at {
				oldest, at = r, other.used
			}
		}
		k.drop(oldest)
	}
	l.used = k.clock
	k.kept[repo] = l
	k.size += l.list.Len() + 1
}

func (k *Keeper) drop(repo string) {
	if l := k.kept[repo]; l != nil {
		k.size -= l.list.Len() + 1
		delete(k.kept, repo)
	}
}

const uuidLength = 36

// Committed drops the lists that a commit of the images read model has changed. It
// is called before anyone who waits for the commit goes on.
func (k *Keeper) Committed(c projections.Commit) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changes++
	if c.Events == nil {
		clear(k.kept)
		k.size = 0
		k.note("")
		return
	}
	for _, e := range c.Events { // evt.<namespace>.<aggregate>.<id>
		parts := strings.SplitN(e.Subject, ".", 4)
		if len(parts) != 4 || parts[2] != "tag" && parts[2] != "image" || len(parts[3]) < uuidLength {
			continue
		}
		repo := parts[3][:uuidLength]
		k.drop(repo)
		k.note(repo)
	}
}

// note notes a change for those who read meanwhile.
func (k *Keeper) note(repo string) {
	if k.reading > 0 {
		k.changed[repo] = k.changes
	}
}
