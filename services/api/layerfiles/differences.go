package layerfiles

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// A Difference is a path that two images do not have alike. A or B is nil where one of
// them lacks it.
type Difference struct {
	Path string
	A, B *Entry
}

// Differences are those of two images: of all their files as containers see them.
type Differences struct {
	List                                     []Difference // in the order of their paths
	Added, Removed, Changed                  int
	AddedBytes, RemovedBytes, BytesOfChanged int64 // the last: how much more the changed ones have in B
	// Incomplete are the layers of which not all files are known.
	Incomplete []digest.Digest
}

// MaxCompared bounds the entries of all layers of an image whose files are compared.
const MaxCompared = 400_000

// bytesEach is about how many bytes of memory comparing takes for an entry of a layer,
// besides its path, name and link.
const bytesEach = 400

// ErrTooMany: an image has more files than are compared.
var ErrTooMany = errors.New("the image has more files than are compared")

// Compare compares two images, by their layers from the lowest on, each of which is Done.
// Directories differ only by their owners and modes. hold is called first, with about how
// many bytes of memory this takes; its error ends it. ErrTooMany; fs.ErrNotExist when a
// listing is gone: ask again.
func (k *Keeper) Compare(a, b []digest.Digest, hold func(bytes int64) error) (*Differences, error) {
	entries, names := 0, 0
	for _, layers := range [][]digest.Digest{a, b} {
		here := 0
		for _, l := range layers {
			found, err := k.Found(l)
			if err != nil {
				return nil, err
			}
			here, names = here+found.Entries, names+found.Names
		}
		if entries += here; here > MaxCompared {
			return nil, ErrTooMany
		}
	}
	if err := hold(int64(entries)*bytesEach + int64(names)); err != nil {
		return nil, err
	}
	d := &Differences{}
	of := [2]map[string]*seen{}
	for side, layers := range [][]digest.Digest{a, b} {
		all, incomplete, err := k.merged(layers)
		if err != nil {
			return nil, err
		}
		of[side] = all
		for _, l := range incomplete {
			if !slices.Contains(d.Incomplete, l) {
				d.Incomplete = append(d.Incomplete, l)
			}
		}
	}
	for path, s := range of[0] {
		if s.there {
			d.add(path, &s.Entry, of[1][path].entry())
		}
	}
	for path, s := range of[1] {
		if s.there && of[0][path].entry() == nil {
			d.add(path, nil, &s.Entry)
		}
	}
	slices.SortFunc(d.List, func(x, y Difference) int { return cmp.Compare(x.Path, y.Path) })
	return d, nil
}

func (d *Differences) add(path string, a, b *Entry) {
	switch {
	case a == nil:
		d.Added, d.AddedBytes = d.Added+1, d.AddedBytes+b.content()
	case b == nil:
		d.Removed, d.RemovedBytes = d.Removed+1, d.RemovedBytes+a.content()
	case a.alike(*b):
		return
	default:
		d.Changed, d.BytesOfChanged = d.Changed+1, d.BytesOfChanged+b.content()-a.content()
	}
	d.List = append(d.List, Difference{path, a, b})
}

// content is the size of a file; a directory's is that of others.
func (e Entry) content() int64 {
	if e.Type != File {
		return 0
	}
	return e.Size
}

func (e Entry) alike(o Entry) bool {
	owned := e.Mode == o.Mode && e.UID == o.UID && e.GID == o.GID || e.Implied || o.Implied
	return e.Type == o.Type && owned && e.Link == o.Link && e.Sum == o.Sum
}

// seen is what a path is in an image, as far as it was gone through, from the top on.
type seen struct {
	Entry
	there bool
	gone  bool // a whiteout takes it from lower layers
	cut   bool // lower layers have nothing below it: whiteouts, opaque directories, files
}

func (s *seen) entry() *Entry {
	if s == nil || !s.there {
		return nil
	}
	return &s.Entry
}

// merged are the files of an image (image-spec, "Applying Changesets"), found from the top
// layer down: what an upper layer has, or hides, is settled.
func (k *Keeper) merged(layers []digest.Digest) (all map[string]*seen, incomplete []digest.Digest, err error) {
	all = map[string]*seen{}
	type hiding struct {
		path      string
		gone, cut bool
	}
	for at := len(layers) - 1; at >= 0; at-- {
		var hides []hiding // count only for the layers below this one
		found, err := k.Each(layers[at], func(dir string, e Entry) error {
			path := strings.TrimPrefix(dir+"/"+e.Name, "/")
			if e.Type != Directory || e.Opaque {
				hides = append(hides, hiding{path, e.Type == Whiteout, true})
			}
			if path == "" || e.Type == Whiteout || hidden(all, path) {
				return nil
			}
			s := all[path]
			if s == nil {
				s = &seen{}
				all[path] = s
			}
			if !s.there && !s.gone {
				s.Entry, s.there = e, true
			} else if s.there && s.Implied && s.Type == Directory && e.Type == Directory {
				s.Entry = e // the upper layer says nothing of it
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		if found.Truncated != "" || found.Kind == "" {
			incomplete = append(incomplete, layers[at])
		}
		for _, h := range hides {
			s := all[h.path]
			if s == nil {
				s = &seen{}
				all[h.path] = s
			}
			s.gone, s.cut = s.gone || h.gone, s.cut || h.cut
		}
	}
	return all, incomplete, nil
}

// hidden says whether upper layers hide what lower ones have at a path, by something above it.
func hidden(all map[string]*seen, path string) bool {
	if s := all[""]; s != nil && s.cut {
		return true
	}
	for k := 0; k < len(path); k++ {
		if path[k] == '/' {
			if s := all[path[:k]]; s != nil && s.cut {
				return true
			}
		}
	}
	return false
}
