// Package cleanup decides what a repository's cleanup rule deletes, previews it,
// and deletes it.
package cleanup

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/repository"
)

// A State is what a rule is applied to.
type State struct {
	images.Content
	// Pulled says when each tag was pulled last, as far as it ever was, and Used when
	// each manifest was, by whatever tag or digest.
	Pulled    map[string]time.Time
	Used      map[digest.Digest]time.Time
	Immutable repository.ImmutableTags
	// Pinned are the manifests that releases of applications need.
	Pinned map[digest.Digest]string
}

// A Deletion is a tag that goes or, with an empty Tag, a manifest.
type Deletion struct {
	Tag    string
	Digest digest.Digest
	At     uint64    // of a tag: the sequence of the event by which it names the digest
	Used   time.Time // of a tag: when it was pulled last; zero for never
}

const day = 24 * time.Hour

// Plan lists what goes, in the order in which to delete it: tags, then indexes,
// then other manifests.
//
// A tag stays when it is immutable, matches a pattern of KeepTags, is one of
// the KeepLast pushed last, or was pushed or used within NotPulledDays. A tag
// that holds the signatures of a manifest is not counted and goes with that
// manifest; it stays where the repository does not have the manifest.
//
// A manifest stays when a tag or an index that stays names it, when its subject
// stays, when a release of an application needs it, or when it was pushed, used or lost a tag within UntaggedDays, or used
// within NotPulledDays. A referrer of a manifest that goes is deleted with it,
// however recently it was pushed.
//
// A manifest is used when it is pulled. Its use is one of every tag that names it,
// of the indexes that name it, and of its subject: whoever pulls one image of an
// index, or a signature, uses the whole.
//
// To match the tags of a large repository takes a while; the error is ctx's.
func Plan(ctx context.Context, rule events.Cleanup, s State, now time.Time) ([]Deletion, error) {
	p := &plan{rule: rule, State: s, now: now, manifests: map[digest.Digest]*images.ContentManifest{},
		signed: map[string]digest.Digest{}, staying: map[digest.Digest]bool{}, lastUse: map[digest.Digest]time.Time{},
		below: map[digest.Digest][]digest.Digest{}, refers: map[digest.Digest]bool{}}
	for k := range s.Manifests {
		d := s.Manifests[k].Digest
		p.manifests[d], p.signed[repository.ShortDigest(d)] = &s.Manifests[k], d
	}
	p.link()
	goes, err := p.tags(ctx)
	if err != nil || rule.UntaggedDays == 0 {
		return goes, err
	}
	p.keep()
	goes = append(goes, p.signatures()...)
	var list []Deletion
	for _, m := range s.Manifests {
		if !p.staying[m.Digest] {
			list = append(list, Deletion{Digest: m.Digest})
		}
	}
	slices.SortStableFunc(list, func(a, b Deletion) int { return cmp.Compare(p.rank(a.Digest), p.rank(b.Digest)) })
	return append(goes, list...), nil
}

type plan struct {
	State
	rule      events.Cleanup
	now       time.Time
	manifests map[digest.Digest]*images.ContentManifest
	signed    map[string]digest.Digest // manifests by their repository.ShortDigest
	staying   map[digest.Digest]bool
	lastUse   map[digest.Digest]time.Time       // also of what is above what was used
	below     map[digest.Digest][]digest.Digest // what stays with a manifest
	refers    map[digest.Digest]bool            // what its subject alone keeps
}

// signs says for which manifest of the repository a tag holds signatures.
func (p *plan) signs(tag string) (digest.Digest, bool) {
	short, ok := repository.SignatureSubject(tag)
	d := p.signed[short]
	return d, ok && d != ""
}

// tags lists the tags that go by the rules for tags.
func (p *plan) tags(ctx context.Context) ([]Deletion, error) {
	if p.rule.KeepLast == 0 && p.rule.NotPulledDays == 0 {
		return nil, nil
	}
	kept := repository.TagsMatching(p.rule.KeepTags)
	var list []images.ContentTag
	for _, t := range p.Tags {
		if _, signs := repository.SignatureSubject(t.Name); !signs {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b images.ContentTag) int {
		return cmp.Or(b.Pushed.Compare(a.Pushed), cmp.Compare(b.Seq, a.Seq), cmp.Compare(a.Name, b.Name))
	})
	var goes []Deletion
	for k, t := range list {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		used := p.lastUse[t.Digest]
		if at := p.Pulled[t.Name]; at.After(used) {
			used = at
		}
		needed := used
		if t.Pushed.After(needed) {
			needed = t.Pushed
		}
		switch {
		case k < p.rule.KeepLast, p.rule.NotPulledDays > 0 && p.now.Sub(needed) < time.Duration(p.rule.NotPulledDays)*day:
		case p.Immutable.Has(t.Name), kept.Has(t.Name):
		default:
			goes = append(goes, Deletion{Tag: t.Name, Digest: t.Digest, At: t.Seq, Used: used})
		}
	}
	slices.SortFunc(goes, func(a, b Deletion) int { return cmp.Compare(a.Tag, b.Tag) })
	return goes, nil
}

// link works out what stays with each manifest, and until when each was used.
func (p *plan) link() {
	above := map[digest.Digest][]digest.Digest{} // the reverse of below
	stays := func(d, with digest.Digest) {
		p.below[with], above[d] = append(p.below[with], d), append(above[d], with)
	}
	for _, t := range p.Tags {
		if subject, signs := p.signs(t.Name); signs {
			stays(t.Digest, subject)
			p.refers[t.Digest] = true
		}
	}
	for d, m := range p.manifests {
		for _, child := range m.Children {
			stays(child, d)
		}
		if m.Subject != "" && p.manifests[m.Subject] != nil {
			stays(d, m.Subject)
			p.refers[d] = true
		}
	}
	used := maps.Clone(p.Used)
	for _, t := range p.Tags {
		if at := p.Pulled[t.Name]; at.After(used[t.Digest]) {
			if _, signs := p.signs(t.Name); signs {
				used[t.Digest] = at
			}
		}
	}
	latest := slices.SortedFunc(maps.Keys(used), func(a, b digest.Digest) int {
		return cmp.Or(used[b].Compare(used[a]), cmp.Compare(a, b))
	})
	for _, d := range latest {
		for next := []digest.Digest{d}; len(next) > 0; {
			at := next[len(next)-1]
			next = next[:len(next)-1]
			if _, known := p.lastUse[at]; !known { // the latest comes first
				p.lastUse[at] = used[d]
				next = append(next, above[at]...)
			}
		}
	}
}

// keep works out which manifests stay. A manifest whose tag goes in this run
// stays: its UntaggedDays begin now.
func (p *plan) keep() {
	var stay []digest.Digest
	for _, t := range p.Tags {
		if _, signs := p.signs(t.Name); !signs {
			stay = append(stay, t.Digest)
		}
	}
	stay = slices.AppendSeq(stay, maps.Keys(p.Pinned))
	unused := time.Duration(max(p.rule.UntaggedDays, p.rule.NotPulledDays)) * day
	for d, m := range p.manifests {
		since := m.Released
		if !p.refers[d] && m.Pushed.After(since) {
			since = m.Pushed
		}
		if p.now.Sub(since) < time.Duration(p.rule.UntaggedDays)*day || p.now.Sub(p.lastUse[d]) < unused {
			stay = append(stay, d)
		}
	}
	for len(stay) > 0 {
		d := stay[len(stay)-1]
		stay = stay[:len(stay)-1]
		if !p.staying[d] {
			p.staying[d] = true
			stay = append(stay, p.below[d]...)
		}
	}
}

// signatures lists the tags that go with the manifest that they sign.
func (p *plan) signatures() (goes []Deletion) {
	for _, t := range p.Tags {
		if subject, signs := p.signs(t.Name); signs && !p.staying[subject] {
			goes = append(goes, Deletion{Tag: t.Name, Digest: t.Digest, At: t.Seq, Used: p.lastUse[t.Digest]})
		}
	}
	return goes
}

// rank orders indexes before the manifests that they name, so that an index is
// never there without its manifests.
func (p *plan) rank(d digest.Digest) int {
	if len(p.manifests[d].Children) > 0 {
		return 0
	}
	return 1
}
