package buildcontext

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tarOf is a tar file with these entries; a regular file has its name as content.
func tarOf(t testing.TB, list ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range list {
		if h.Typeflag == 0 {
			h.Typeflag, h.Size = tar.TypeReg, int64(len(h.Name))
		}
		if h.Typeflag != tar.TypeXGlobalHeader {
			h.Mode = 0o755
		}
		check(t, w.WriteHeader(&h))
		if h.Typeflag == tar.TypeReg {
			_, err := io.WriteString(w, h.Name)
			check(t, err)
		}
	}
	check(t, w.Close())
	return b.Bytes()
}

// Whatever a tar file says, nothing is written outside of the directory, and the error
// says what of it cannot be.
func TestHostile(t *testing.T) {
	file := func(name string) tar.Header { return tar.Header{Name: name} }
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
	}
	hard := func(name, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: to}
	}
	kind := func(k byte) tar.Header { return tar.Header{Name: "x", Typeflag: k} }
	outside := t.TempDir()
	check(t, os.WriteFile(filepath.Join(outside, "victim"), []byte("as it was"), 0o644))
	victim := filepath.Join(outside, "victim")
	for what, c := range map[string]struct {
		entries []tar.Header
		want    string
	}{
		"a path upwards":                 {[]tar.Header{file("../x")}, `"../x": it leads out of the directory`},
		"one that hides it":              {[]tar.Header{file("a/../../x")}, "leads out of the directory"},
		"an absolute path":               {[]tar.Header{file(victim)}, "leads out of the directory"},
		"a link to a directory outside":  {[]tar.Header{link("a", outside), file("a/victim")}, `"a/victim": `},
		"a relative one":                 {[]tar.Header{link("a", ".."), file("a/x")}, "escapes"},
		"a chain of links":               {[]tar.Header{link("a", "b"), link("b", outside), file("a/x")}, "escapes"},
		"a link in the place of a file":  {[]tar.Header{link("a", victim), file("a")}, "there are two of that name"},
		"a file twice":                   {[]tar.Header{file("a"), file("a")}, "there are two of that name"},
		"a directory through a link":     {[]tar.Header{link("a", outside), {Name: "a/b", Typeflag: tar.TypeDir}}, "escapes"},
		"a hard link to a file outside":  {[]tar.Header{hard("a", victim)}, `"a": `},
		"a hard link upwards":            {[]tar.Header{hard("a", "../../../../../../../etc/passwd")}, "escapes"},
		"a hard link through a link":     {[]tar.Header{link("a", outside), hard("b", "a/victim")}, "escapes"},
		"a hard link to nothing":         {[]tar.Header{hard("a", "b")}, "no such file"},
		"a character device":             {[]tar.Header{kind(tar.TypeChar)}, "it is a device"},
		"a block device":                 {[]tar.Header{kind(tar.TypeBlock)}, "it is a device"},
		"a pipe":                         {[]tar.Header{kind(tar.TypeFifo)}, "it is no file, directory or link"},
		"a name that is too long":        {[]tar.Header{file(strings.Repeat("a", 300))}, "name too long"},
		"a path that is too long":        {[]tar.Header{file(strings.Repeat("a/", 2100) + "a")}, "more than 4095 bytes"},
		"a link to one that is too long": {[]tar.Header{link("a", strings.Repeat("a/", 2100))}, "more than 4095 bytes"},
	} {
		dir := filepath.Join(t.TempDir(), "a", "b")
		check(t, os.MkdirAll(dir, 0o755))
		err := Unpack(bytes.NewReader(tarOf(t, c.entries...)), dir, DefaultLimits)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
		if above := names(t, filepath.Dir(dir)); len(above) > 3 || above[0] != "b" {
			t.Errorf("%s: there are %v", what, above)
		}
	}
	if got := names(t, outside); len(got) != 1 {
		t.Errorf("outside are %v", got)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "as it was" {
		t.Errorf("the file outside has %q, %v", text, err)
	}
	if err := Unpack(strings.NewReader("FROM scratch"), t.TempDir(), DefaultLimits); err == nil || !strings.Contains(err.Error(), "it is no tar file") {
		t.Errorf("something else: %v", err)
	}
}

// What other programs put into tar files is taken: files before their directories, the
// directory itself, hard links, a global header. Links out of the directory stay links.
func TestUnpackWhatOthersWrite(t *testing.T) {
	dir := t.TempDir()
	check(t, Unpack(bytes.NewReader(tarOf(t, tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "c0ffee"}},
		tar.Header{Name: "./", Typeflag: tar.TypeDir}, tar.Header{Name: "./a/b/c"}, tar.Header{Name: "a", Typeflag: tar.TypeDir}, tar.Header{Name: "d", Typeflag: tar.TypeLink, Linkname: "./a/b/c"},
		tar.Header{Name: "e", Typeflag: tar.TypeSymlink, Linkname: "/proc/self/mounts"})), dir, DefaultLimits))
	if got := strings.Join(names(t, dir), " "); got != "a a/b a/b/c d e" {
		t.Errorf("there are %s", got)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "d")); err != nil || string(text) != "./a/b/c" {
		t.Errorf("the hard link has %q, %v", text, err)
	}
}

// endless is a tar file of as many empty files as are read.
type endless struct {
	n    int
	name string
	rest bytes.Buffer
}

func (e *endless) Read(p []byte) (int, error) {
	for e.rest.Len() == 0 {
		w := tar.NewWriter(&e.rest)
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf(e.name, e.n), Typeflag: tar.TypeDir, Mode: 0o755}); err != nil {
			return 0, err
		}
		e.n++
	}
	return e.rest.Read(p)
}

// Bombs end at the limits: by bytes that are there and those that are said to be, by files,
// and by directories that a path only implies.
func TestBombs(t *testing.T) {
	most := Limits{Bytes: 1 << 20, Files: 100}
	var zeros bytes.Buffer
	z := gzip.NewWriter(&zeros)
	w := tar.NewWriter(z)
	check(t, w.WriteHeader(&tar.Header{Name: "zeros", Typeflag: tar.TypeReg, Size: 1 << 30, Mode: 0o644}))
	_, err := io.CopyN(w, zero{}, 8<<20)
	check(t, err)
	check(t, z.Close())

	sparse := filepath.Join(t.TempDir(), "sparse")
	check(t, os.WriteFile(sparse, nil, 0o644))
	check(t, os.Truncate(sparse, 1<<40))
	hole, err := exec.Command("tar", "--sparse", "-c", "-C", filepath.Dir(sparse), "sparse").Output()
	check(t, err)
	if len(hole) > 100<<10 {
		t.Fatalf("a hole of 1 TB takes %d bytes", len(hole))
	}

	// Headers upon headers, of which none is a file.
	var headers bytes.Buffer
	z = gzip.NewWriter(&headers)
	for range 20_000 {
		one := tarOf(t, tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}})
		_, err := z.Write(one[:len(one)-1024])
		check(t, err)
	}
	check(t, z.Close())

	for what, in := range map[string]io.Reader{"zeros": &zeros, "a hole of 1 TB": bytes.NewReader(hole), "10 million entries": &endless{name: "f%d"}, "implied directories": &endless{name: strings.Repeat("d%[1]d/", 50)}, "headers": &headers} {
		dir := t.TempDir()
		if err := Unpack(in, dir, most); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", what, err)
		}
		if n := len(names(t, dir)); n > most.Files {
			t.Errorf("%s: %d files were made", what, n)
		}
	}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }
