package layerfiles_test

import (
	"archive/tar"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/services/api/layerfiles"
)

// free is a hold without bounds.
func free(int64) error { return nil }

func dir(name string) file { return file{name: name, kind: tar.TypeDir, mode: 0o755} }

// What containers see of two images, layer upon layer, with all that hides what is below.
func TestCompare(t *testing.T) {
	s := &shelf{blobs: map[digest.Digest][]byte{}}
	k := keeper(t, s, layerfiles.Config{})
	layers := func(list ...[]byte) (all []digest.Digest) {
		for _, l := range list {
			all = append(all, s.add(l))
		}
		listed(t, k, all...)
		return all
	}
	base := archive(dir("etc/"), file{name: "etc/a", content: "1"}, file{name: "etc/b", content: "2"}, dir("opt/"), file{name: "opt/x/y", content: "123"}, file{name: "same"})
	for name, c := range map[string]struct {
		a, b []digest.Digest
		want string
	}{
		"same":                {layers(base), layers(base), "[]"},
		"same by other ways":  {layers(base), layers(base, archive(file{name: "etc/a", content: "other"}), archive(file{name: "etc/a", content: "1"})), "[]"},
		"added and changed":   {layers(base), layers(base, archive(file{name: "etc/a", content: "12"}, file{name: "new/f", content: "3"})), "[etc/a:file>file new:>directory new/f:>file]"},
		"mode":                {layers(base), layers(base, archive(file{name: "same", mode: 0o600})), "[same:file>file]"},
		"whiteout":            {layers(base), layers(base, archive(file{name: "etc/.wh.a"})), "[etc/a:file>]"},
		"whiteout of a tree":  {layers(base), layers(base, archive(file{name: ".wh.opt"})), "[opt:directory> opt/x:directory> opt/x/y:file>]"},
		"tree made anew":      {layers(base), layers(base, archive(file{name: ".wh.opt"}, dir("opt/"), file{name: "opt/z"})), "[opt/x:directory> opt/x/y:file> opt/z:>file]"},
		"back after whiteout": {layers(base), layers(base, archive(file{name: ".wh.same"}), archive(file{name: "same"})), "[]"},
		"opaque":              {layers(base), layers(base, archive(file{name: "etc/.wh..wh..opq"}, file{name: "etc/c"})), "[etc/a:file> etc/b:file> etc/c:>file]"},
		"opaque root":         {layers(base), layers(base, archive(file{name: ".wh..wh..opq"}, file{name: "c"})), "[c:>file etc:directory> etc/a:file> etc/b:file> opt:directory> opt/x:directory> opt/x/y:file> same:file>]"},
		"file for a tree":     {layers(base), layers(base, archive(file{name: "opt", content: "x"})), "[opt:directory>file opt/x:directory> opt/x/y:file>]"},
		"tree, file, tree":    {layers(base), layers(base, archive(file{name: "opt"}), archive(dir("opt/"))), "[opt/x:directory> opt/x/y:file>]"},
		"implied above given": {layers(base), layers(base, archive(file{name: "etc/c"})), "[etc/c:>file]"},
		"link":                {layers(archive(file{name: "l", kind: tar.TypeSymlink, link: "a"})), layers(archive(file{name: "l", kind: tar.TypeSymlink, link: "b"})), "[l:symlink>symlink]"},
		"nothing in common":   {layers(), layers(archive(file{name: "a"})), "[a:>file]"},
	} {
		d, err := k.Compare(c.a, c.b, free)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range d.List {
			side := func(e *layerfiles.Entry) layerfiles.Type {
				if e == nil {
					return ""
				}
				return e.Type
			}
			got = append(got, fmt.Sprintf("%s:%s>%s", x.Path, side(x.A), side(x.B)))
		}
		if fmt.Sprint(got) != c.want || d.Added+d.Removed+d.Changed != len(d.List) {
			t.Errorf("%s:\n%v, want\n%s", name, got, c.want)
		}
	}
	if d, err := k.Compare(layers(base), layers(base, archive(file{name: "etc/a", content: "123456"}), archive(file{name: "new", content: "12"}, file{name: ".wh.opt"})), free); err != nil ||
		d.AddedBytes != 2 || d.RemovedBytes != 3 || d.BytesOfChanged != 5 {
		t.Errorf("%+v %v", d, err)
	}
	whole := archive(file{name: "one", content: "1"}, file{name: "two", content: "2"})
	cut := layers(whole[:1500])
	if d, err := k.Compare(cut, layers(whole), free); err != nil || !slices.Equal(d.Incomplete, cut) {
		t.Errorf("%+v %v", d, err)
	}
}

// An image of too many files is not compared, whatever its layers share.
func TestCompareTooMany(t *testing.T) {
	s := &shelf{blobs: map[digest.Digest][]byte{}}
	k := keeper(t, s, layerfiles.Config{})
	var files []file
	for n := range 5000 {
		files = append(files, file{name: fmt.Sprint("f", n)})
	}
	layer := s.add(gzipped(archive(files...)))
	listed(t, k, layer)
	if _, err := k.Compare(slices.Repeat([]digest.Digest{layer}, layerfiles.MaxCompared/5000+1), nil, free); !errors.Is(err, layerfiles.ErrTooMany) {
		t.Error(err)
	}
	refused := errors.New("no memory")
	if _, err := k.Compare([]digest.Digest{layer}, []digest.Digest{layer}, func(bytes int64) error {
		if bytes < 1_000_000 {
			t.Errorf("holds %d bytes", bytes)
		}
		return refused
	}); !errors.Is(err, refused) {
		t.Error(err)
	}
	long := s.add(archive(file{name: strings.Repeat("x", 2000), kind: tar.TypeSymlink, link: strings.Repeat("y", 3000)}))
	listed(t, k, long)
	if _, err := k.Compare(slices.Repeat([]digest.Digest{long}, 100), nil, func(bytes int64) error {
		if bytes < 100*(2*2000+3000) { // its path, its name and its link
			t.Errorf("of long names it holds %d bytes", bytes)
		}
		return refused
	}); !errors.Is(err, refused) {
		t.Error(err)
	}
	if d, err := k.Compare(slices.Repeat([]digest.Digest{layer}, 10), nil, free); err != nil || d.Removed != 5000 {
		t.Errorf("%v", err)
	}
}
