package layerfiles

import (
	"io"
	"strings"

	"github.com/opencontainers/go-digest"
)

func (k *Keeper) open(d digest.Digest) (*kept, error) {
	s, err := k.store()
	if err != nil {
		return nil, err
	}
	return s.open(d)
}

// Found is what the pass of a layer that is Done has found in all. fs.ErrNotExist.
func (k *Keeper) Found(d digest.Digest) (Summary, error) {
	in, err := k.open(d)
	if err != nil {
		return Summary{}, err
	}
	defer in.close()
	return in.Summary, nil
}

// A Page is a part of a directory of a layer.
type Page struct {
	Summary
	// Directory is the entry of the directory itself.
	Directory Entry
	// Entries are at most as many as were asked for, from there on; In is how many the
	// directory has.
	Entries []Entry
	In      int
}

// List shows a directory of a layer that is Done: at most n entries from the one at that
// place on. ErrNoDirectory; fs.ErrNotExist when the listing is gone: ask again.
func (k *Keeper) List(d digest.Digest, dir string, from, n int) (*Page, error) {
	in, err := k.open(d)
	if err != nil {
		return nil, err
	}
	defer in.close()
	parent, base := parentOf(dir), dir[strings.LastIndexByte(dir, '/')+1:]
	p := &Page{Summary: in.Summary, Directory: in.Root, Entries: []Entry{}}
	for {
		name, entries, size, err := in.directory()
		switch {
		case err == io.EOF:
			return nil, ErrNoDirectory
		case err != nil:
			return nil, in.damaged(err)
		case name != dir && (name != parent || dir == ""):
			in.skip(size)
			continue
		}
		if name == dir {
			p.In = entries
		}
		for at := range entries {
			e, err := in.entry()
			if err != nil {
				return nil, in.damaged(err)
			}
			if name == dir && at >= from && at < from+n {
				p.Entries = append(p.Entries, e)
			}
			if name != dir && e.Name == base {
				p.Directory = e
			}
			if name == dir && at >= from+n {
				break
			}
		}
		if name == dir {
			return p, nil
		}
	}
}

// Each calls f for every entry of a layer that is Done, with the path of the directory
// that it is in, and returns what the pass found. It ends with the error of f.
func (k *Keeper) Each(d digest.Digest, f func(dir string, e Entry) error) (Summary, error) {
	in, err := k.open(d)
	if err != nil {
		return Summary{}, err
	}
	defer in.close()
	if in.Root.Opaque {
		if err := f("", in.Root); err != nil {
			return in.Summary, err
		}
	}
	for {
		dir, entries, _, err := in.directory()
		if err == io.EOF {
			return in.Summary, nil
		}
		for ; err == nil && entries > 0; entries-- {
			var e Entry
			if e, err = in.entry(); err == nil {
				if err := f(dir, e); err != nil {
					return in.Summary, err
				}
			}
		}
		if err != nil {
			return in.Summary, in.damaged(err)
		}
	}
}
