package layerfiles

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

// Limits bound one pass.
type Limits struct {
	Bytes   int64 // that are read out of the archive, unpacked
	Entries int   // directories that are only implied among them
	Names   int   // bytes of all names and links together
	Path    int   // bytes of one path or link; what is longer is left out
	Depth   int   // directories above an entry; what is deeper is left out
}

// DefaultLimits are those of a hub: 16 GiB take a minute or so, and 200,000 entries up to
// 100 MB of memory while the pass runs.
var DefaultLimits = Limits{Bytes: 16 << 30, Entries: 200_000, Names: 32 << 20, Path: 4096, Depth: 128}

// maxWindow bounds the memory that an archive can make the zstd decoder take; archives
// of level 22 have 128 MiB, those of builders 8 at most.
const maxWindow = 32 << 20

// A Listing is what a pass found: the entries of each directory, directories first, then
// by name in byte order.
type Listing struct {
	Summary
	Root        Entry
	Directories map[string][]Entry // by path, "" for the root
}

// Index reads a layer. The error is one of reading r, or of ctx: an archive that is
// damaged is a Listing that is truncated, and what is no archive one without entries.
func Index(ctx context.Context, r io.Reader, limits Limits) (*Listing, error) {
	p := &pass{limits: limits, source: &source{ctx: ctx, r: r}, all: map[string]*Entry{"": {Type: Directory, Implied: true, Mode: 0o755}}}
	err := p.run()
	switch {
	case errors.Is(p.source.err, errTooLong):
		p.Truncated = "looking through it took too long, so this is only its beginning"
	case p.source.err != nil:
		return nil, p.source.err
	case err != nil:
		p.Truncated = cmp.Or(p.Truncated, "the archive is damaged: "+bounded(err.Error()))
	}
	return p.listing(), nil
}

// source tells errors of reading the blob from those of what is in it.
type source struct {
	ctx context.Context
	r   io.Reader
	err error
}

// ended says whether the pass has to end, and keeps why.
func (s *source) ended() bool {
	if s.err == nil {
		s.err = context.Cause(s.ctx)
	}
	return s.err != nil
}

func (s *source) Read(p []byte) (int, error) {
	if s.ended() {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

type pass struct {
	Summary
	limits Limits
	source *source
	all    map[string]*Entry // by path
	left   int64             // bytes that may still be unpacked
	sum    hash.Hash
	buf    []byte
	out    int // entries that were left out for their paths
}

// errLimit ends a pass; Truncated says which.
var errLimit = errors.New("a limit of the pass is reached")

// errTooLong is the cause of the end of a context whose pass took too long: what was
// found until then counts.
var errTooLong = errors.New("looking through the layer took too long")

func (p *pass) run() error {
	in := bufio.NewReaderSize(p.source, 128<<10)
	head, _ := in.Peek(4)
	var unpacked io.Reader = in
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			p.About = "It begins like a file packed by gzip, but is none."
			return nil
		}
		p.Kind, unpacked = "tar+gzip", z
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}), len(head) == 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:], []byte{0x2a, 0x4d, 0x18}):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		defer z.Close()
		p.Kind, unpacked = "tar+zstd", z
	default:
		p.Kind = "tar"
	}
	p.left, p.sum, p.buf = p.limits.Bytes, sha256.New(), make([]byte, 256<<10)
	archive := tar.NewReader(&unpacking{p, unpacked})
	for first := true; ; first = false {
		h, err := archive.Next()
		switch {
		case err == io.EOF:
			return nil
		case p.source.err != nil || errors.Is(err, errLimit):
			return errLimit
		case err != nil && first:
			p.Kind, p.About = "", sniffed(p.Kind, head)
			return nil
		case err != nil:
			return err
		}
		if err := p.add(h, archive); err != nil {
			return err
		}
	}
}

// sniffed says what a blob is that is no archive, by its first bytes.
func sniffed(packed string, head []byte) string {
	switch {
	case packed != "tar":
		return "It is packed, but what is in it is no tar archive."
	case bytes.HasPrefix(head, []byte("\x00asm")):
		return "It is a WebAssembly module, which has no files."
	case bytes.HasPrefix(head, []byte("{")), bytes.HasPrefix(head, []byte("[")):
		return "It is JSON, which has no files."
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "It is a zip file, in which the hub does not look."
	case len(head) == 0:
		return "It is empty."
	}
	return "It is no tar archive: another kind of file, or an encrypted layer."
}

// unpacking bounds what is read out of an archive.
type unpacking struct {
	p *pass
	r io.Reader
}

func (u *unpacking) Read(b []byte) (int, error) {
	if u.p.left <= 0 {
		return 0, u.p.stop(fmt.Sprintf("only its first %d MB, unpacked, were looked through", u.p.limits.Bytes/1_000_000))
	}
	n, err := u.r.Read(b[:min(int64(len(b)), u.p.left)])
	u.p.left -= int64(n)
	return n, err
}

func (p *pass) stop(why string) error {
	p.Truncated = cmp.Or(p.Truncated, why)
	return errLimit
}

// add takes one entry of the archive.
func (p *pass) add(h *tar.Header, content io.Reader) error {
	full := strings.Trim(path.Clean("/"+h.Name), "/")
	dir, name := path.Split(full)
	dir = strings.TrimSuffix(dir, "/")
	if len(full) > p.limits.Path || len(h.Linkname) > p.limits.Path || strings.Count(full, "/") >= p.limits.Depth {
		p.out++
		return nil
	}
	e := Entry{Mode: uint32(h.Mode) & 0o7777, UID: whole(h.Uid), GID: whole(h.Gid), Link: printable(h.Linkname)}
	switch {
	case name == ".wh..wh..opq":
		of, err := p.directory(printable(dir))
		if err == nil {
			of.Opaque = true
		}
		return err
	case strings.HasPrefix(name, ".wh.") && len(name) > len(".wh."):
		// Kept beside what the layer itself may have by the same name.
		e = Entry{Name: printable(strings.TrimPrefix(name, ".wh.")), Type: Whiteout}
	case h.Typeflag == tar.TypeDir:
		e.Type, e.Link = Directory, ""
	case h.Typeflag == tar.TypeSymlink:
		e.Type = Symlink
	case h.Typeflag == tar.TypeLink:
		e.Type = Hardlink
	case h.Typeflag == tar.TypeChar, h.Typeflag == tar.TypeBlock, h.Typeflag == tar.TypeFifo:
		e.Type = Device
	case h.Typeflag == tar.TypeReg, h.Typeflag == tar.TypeGNUSparse, h.Typeflag == tar.TypeCont:
		e.Type, e.Link = File, ""
		var err error
		if e.Size, err = p.content(&e, content); err != nil {
			return err // its entry is not whole
		}
	default:
		return nil // what only says something about others, such as a PAX global header
	}
	return p.put(printable(dir), printable(name), e)
}

// content reads the content of a file. The holes of a sparse file are read as zeros, so
// what comes out counts, too.
func (p *pass) content(e *Entry, r io.Reader) (int64, error) {
	p.sum.Reset()
	before := p.left
	size := int64(0)
	for {
		if p.source.ended() { // a hole is long, and nothing of the blob is read for it
			return 0, p.source.err
		}
		n, err := r.Read(p.buf)
		p.sum.Write(p.buf[:n])
		size += int64(n)
		if made := size - (before - p.left); made > 0 { // holes
			p.left -= made
		}
		switch {
		case err == io.EOF:
			p.sum.Sum(e.Sum[:0])
			return size, nil
		case err != nil:
			return 0, err
		case p.left <= 0:
			return 0, p.stop(fmt.Sprintf("only its first %d MB, unpacked, were looked through", p.limits.Bytes/1_000_000))
		}
	}
}

// put keeps an entry: of several of the same path, the last.
func (p *pass) put(dir, name string, e Entry) error {
	if name == "" {
		root := p.all[""]
		e.Opaque, e.Name = root.Opaque, ""
		if e.Type == Directory {
			*root = e
		}
		return nil
	}
	if _, err := p.directory(dir); err != nil {
		return err
	}
	full := path.Join(dir, name)
	before := p.all[full]
	switch {
	case before == nil:
		if err := p.room(full, name, e.Link); err != nil {
			return err
		}
	case len(e.Link) > len(before.Link):
		if err := p.room("", "", e.Link[len(before.Link):]); err != nil {
			return err
		}
	}
	if before != nil && before.Type == Directory && e.Type == Directory {
		e.Opaque = before.Opaque
	}
	e.Name = cmp.Or(e.Name, name)
	p.all[full] = &e
	return nil
}

// directory is the entry of a directory, which is made if the archive has none so far.
func (p *pass) directory(dir string) (*Entry, error) {
	if e := p.all[dir]; e != nil && e.Type == Directory {
		return e, nil
	}
	parent, name := path.Split(dir)
	if _, err := p.directory(strings.TrimSuffix(parent, "/")); err != nil {
		return nil, err
	}
	if p.all[dir] == nil {
		if err := p.room(dir, name, ""); err != nil {
			return nil, err
		}
	}
	e := &Entry{Name: name, Type: Directory, Mode: 0o755, Implied: true}
	p.all[dir] = e
	return e, nil
}

// room is called before texts are kept.
func (p *pass) room(full, name, link string) error {
	if p.Names += len(full) + len(name) + len(link); p.Names > p.limits.Names || len(p.all) > p.limits.Entries {
		return p.stop(fmt.Sprintf("only its first %d entries were looked at", len(p.all)-1))
	}
	return nil
}

// listing is what was found, by directory.
func (p *pass) listing() *Listing {
	l := &Listing{Directories: map[string][]Entry{}}
	if p.out > 0 && p.Truncated == "" {
		p.Truncated = fmt.Sprintf("%d entries were left out, because their paths are too long", p.out)
	}
	paths := make([]string, 0, len(p.all))
	for full, e := range p.all {
		if full != "" {
			paths = append(paths, full)
		}
		if e.Type != File {
			continue
		}
		p.Bytes += e.Size
		for dir := full; dir != ""; {
			dir = parentOf(dir)
			if above := p.all[dir]; above.Type == Directory {
				above.Size, above.Files = above.Size+e.Size, above.Files+1
			}
		}
	}
	p.Entries = len(paths)
	for _, full := range paths {
		// What stands below something that a later entry made a file is not there.
		if dir := parentOf(full); p.all[dir].Type == Directory {
			l.Directories[dir] = append(l.Directories[dir], *p.all[full])
		}
	}
	for _, list := range l.Directories {
		slices.SortFunc(list, func(a, b Entry) int {
			if (a.Type == Directory) != (b.Type == Directory) {
				return map[bool]int{true: -1, false: 1}[a.Type == Directory]
			}
			return strings.Compare(a.Name, b.Name)
		})
	}
	for full, e := range p.all {
		if e.Type == Directory && l.Directories[full] == nil {
			l.Directories[full] = []Entry{}
		}
	}
	l.Summary, l.Root = p.Summary, *p.all[""]
	return l
}

// parentOf is the path of the directory that a path is in, "" for the root.
func parentOf(full string) string { return full[:max(0, strings.LastIndexByte(full, '/'))] }

// printable is a name with what is no UTF-8 in it written as \xNN.
func printable(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	var b strings.Builder
	for len(name) > 0 {
		r, size := utf8.DecodeRuneInString(name)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, name[0])
		} else {
			b.WriteString(name[:size])
		}
		name = name[size:]
	}
	return b.String()
}

func whole(id int) int { return max(0, min(id, math.MaxInt32)) }

func bounded(text string) string { return strings.ToValidUTF8(text[:min(len(text), 200)], "") }
