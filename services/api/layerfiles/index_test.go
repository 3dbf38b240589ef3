package layerfiles_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"hubledger/services/api/layerfiles"
)

func index(t *testing.T, content []byte, limits layerfiles.Limits) *layerfiles.Listing {
	t.Helper()
	l, err := layerfiles.Index(t.Context(), bytes.NewReader(content), limits)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// One layer, however it is packed.
func TestIndex(t *testing.T) {
	layer := archive(
		file{name: "./usr/", kind: tar.TypeDir, mode: 0o755},
		file{name: "./usr/bin/tool", content: "#!/bin/sh\n", mode: 0o4755, uid: 7},
		file{name: "usr/bin/alias", kind: tar.TypeSymlink, link: "tool"},
		file{name: "usr/bin/twin", kind: tar.TypeLink, link: "usr/bin/tool"},
		file{name: "/etc/.wh.gone"},
		file{name: "var/cache/.wh..wh..opq"},
		file{name: "dev/null", kind: tar.TypeChar},
		file{name: "twice", content: "first"}, file{name: "twice", content: "second one"},
		file{name: "../../outside", content: "x"},
		file{name: "bad\xffname", content: "y"},
	)
	for kind, content := range map[string][]byte{"tar": layer, "tar+gzip": gzipped(layer), "tar+zstd": zstded(layer)} {
		l := index(t, content, layerfiles.DefaultLimits)
		if l.Kind != kind || l.Truncated != "" || l.Entries != 14 {
			t.Errorf("%s: %+v", kind, l.Summary)
		}
		got := flat(l)
		slices.Sort(got)
		want := []string{"/bad\\xffname file", "/dev directory", "/etc directory", "/outside file", "/twice file", "/usr directory", "/var directory",
			"dev/null device", "etc/gone whiteout", "usr/bin directory", "usr/bin/alias symlink", "usr/bin/tool file", "usr/bin/twin hardlink", "var/cache directory"}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%q\n%q", kind, got, want)
		}
		tool := l.Directories["usr/bin"][slices.IndexFunc(l.Directories["usr/bin"], func(e layerfiles.Entry) bool { return e.Name == "tool" })]
		if tool.Mode != 0o4755 || tool.UID != 7 || tool.Size != 10 || tool.Sum != sha256.Sum256([]byte("#!/bin/sh\n")) {
			t.Errorf("%+v", tool)
		}
		top := l.Directories[""]
		usr := top[slices.IndexFunc(top, func(e layerfiles.Entry) bool { return e.Name == "usr" })]
		if usr.Implied || usr.Size != 10 || usr.Files != 1 || !l.Directories["var"][0].Opaque || l.Bytes != 10+10+2 {
			t.Errorf("%+v %+v %d", usr, l.Directories["var"], l.Bytes)
		}
	}
}

// What is no archive says what it is.
func TestNoArchive(t *testing.T) {
	for about, content := range map[string]string{"WebAssembly": "\x00asm\x01\x00\x00\x00", "JSON": `{"a": 1}`, "empty": "", "no tar archive": strings.Repeat("random \x8f\x01", 200),
		"is none": "\x1f\x8bnot gzip at all", "packed": string(gzipped(bytes.Repeat([]byte("plain text "), 200)))} {
		if l := index(t, []byte(content), layerfiles.DefaultLimits); !strings.Contains(l.About, about) && about != "empty" || l.Entries != 0 {
			t.Errorf("%q: %+v", about, l.Summary)
		}
	}
}

// A pass ends at its limits and says so; what it found until then counts.
func TestLimits(t *testing.T) {
	many := func(n int, name string) (files []file) {
		for k := range n {
			files = append(files, file{name: fmt.Sprintf(name, k), content: "0123456789"})
		}
		return files
	}
	links := func(n int, pattern string, length int) (files []file) { // in the place of others
		for _, f := range many(n, pattern) {
			f.kind, f.link = tar.TypeSymlink, strings.Repeat("x", length)
			files = append(files, f)
		}
		return files
	}
	limits := layerfiles.Limits{Bytes: 1 << 20, Entries: 100, Names: 10_000, Path: 200, Depth: 10}
	sparse := sparseFile(1 << 40)
	for name, c := range map[string]struct {
		content   []byte
		truncated string
		most      int
	}{
		"entries":      {archive(many(500, "f%d")...), "only its first", 100},
		"directories":  {archive(many(500, "%d/b/c/d/e/f")...), "only its first", 100},
		"names":        {archive(many(90, strings.Repeat("long", 40)+"%d")...), "only its first", 60},
		"links later":  {archive(slices.Concat(many(90, "f%d"), links(90, "f%d", 150))...), "only its first", 90},
		"long paths":   {archive(file{name: strings.Repeat("x", 300)}, file{name: "ok"}), "1 entries were left out", 1},
		"deep paths":   {archive(file{name: strings.Repeat("x/", 30) + "f"}, file{name: "ok"}), "left out", 1},
		"bytes":        {gzipped(archive(file{name: "zeros", content: strings.Repeat("\x00", 3<<20)}, file{name: "after"})), "1 MB, unpacked", 0},
		"sparse":       {sparse, "1 MB, unpacked", 0},
		"cut off":      {archive(many(5, "f%d")...)[:1400], "damaged", 1},
		"cut off gzip": {gzipped(archive(many(5, "f%d")...))[:60], "", 5},
	} {
		l := index(t, c.content, limits)
		if !strings.Contains(l.Truncated, c.truncated) || l.Entries > c.most || l.Kind == "" && name != "cut off gzip" {
			t.Errorf("%s: %+v", name, l.Summary)
		}
	}
}

// sparseFile is an archive whose one file is a hole of that size.
func sparseFile(size int64) []byte {
	h := archive(file{name: "PaxHeaders.0/x", kind: tar.TypeReg})[:512]
	var b bytes.Buffer
	records := ""
	for _, kv := range [][2]string{{"GNU.sparse.major", "1"}, {"GNU.sparse.minor", "0"}, {"GNU.sparse.name", "hole"}, {"GNU.sparse.realsize", fmt.Sprint(size)}} {
		line := " " + kv[0] + "=" + kv[1] + "\n"
		n := len(line) + 2
		records += fmt.Sprintf("%d%s", n, line)
	}
	head := func(name string, kind byte, size int) {
		block := slices.Clone(h)
		copy(block, make([]byte, 100))
		copy(block, name)
		copy(block[124:136], fmt.Sprintf("%011o\x00", size))
		block[156] = kind
		copy(block[148:156], "        ")
		sum := 0
		for _, c := range block {
			sum += int(c)
		}
		copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
		b.Write(block)
	}
	padded := func(content string) { b.WriteString(content + strings.Repeat("\x00", (512-len(content)%512)%512)) }
	head("PaxHeaders.0/hole", 'x', len(records))
	padded(records)
	sparseMap := fmt.Sprintf("1\n%d\n0\n", size)
	head("hole", '0', 512)
	padded(sparseMap)
	b.Write(make([]byte, 1024))
	return b.Bytes()
}

// An error of reading the blob is one of the hub, not of what is in it.
func TestReadErrors(t *testing.T) {
	whole := archive(file{name: "a", content: strings.Repeat("content", 1000)}, file{name: "b"})
	broken := errors.New("the disk is broken")
	_, err := layerfiles.Index(t.Context(), io.MultiReader(bytes.NewReader(whole[:3000]), iotest.ErrReader(broken)), layerfiles.DefaultLimits)
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(broken)
	if _, err := layerfiles.Index(ctx, bytes.NewReader(whole), layerfiles.DefaultLimits); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// A pass ends with its time also within a hole, for which nothing is read.
func TestHoleEnds(t *testing.T) {
	broken := errors.New("the hub stops")
	ctx, cancel := context.WithCancelCause(t.Context())
	content := sparseFile(1 << 40)
	read := 0
	r := readerFunc(func(p []byte) (int, error) {
		n := copy(p, content[read:])
		if read += n; n == 0 {
			return 0, io.EOF
		}
		if read == len(content) {
			cancel(broken)
		}
		return n, nil
	})
	limits := layerfiles.DefaultLimits
	limits.Bytes = 1 << 60
	if _, err := layerfiles.Index(ctx, r, limits); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func FuzzIndex(f *testing.F) {
	f.Add(archive(file{name: "a/b", content: "c"}, file{name: "a", content: "d"}))
	f.Add(gzipped(archive(file{name: "x/.wh.y"})))
	f.Add(zstded(archive(file{name: ".wh..wh..opq"})))
	f.Add(sparseFile(1 << 30))
	limits := layerfiles.Limits{Bytes: 1 << 20, Entries: 50, Names: 2000, Path: 100, Depth: 8}
	f.Fuzz(func(t *testing.T, content []byte) {
		l, err := layerfiles.Index(t.Context(), bytes.NewReader(content), limits)
		if err != nil || l.Entries > limits.Entries {
			t.Fatalf("%+v %v", l, err)
		}
	})
}
