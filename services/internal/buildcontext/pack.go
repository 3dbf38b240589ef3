package buildcontext

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/moby/patternmatcher"
)

// Packed says what a file has.
type Packed struct {
	Files int   // files, directories and links
	Bytes int64 // of the files, not compressed
	// Skipped are the paths of what is no file, directory or link, such as a socket.
	Skipped []string
}

// Pack writes the directory. The same names, permissions and contents give the same bytes:
// times and owners are left out. The error is ErrTooLarge, before much was read, or names
// what cannot be read.
func (t *Tree) Pack(ctx context.Context, w io.Writer, most Limits) (p Packed, err error) {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return p, err
	}
	k := packer{Packed: &p, tree: t, tar: tar.NewWriter(z), left: most, most: most}
	err = t.walk(ctx, ".", patternmatcher.MatchInfo{}, k.add)
	if err == nil {
		err = errors.Join(k.tar.Close(), z.Close())
	}
	return p, err
}

type packer struct {
	*Packed
	tree       *Tree
	tar        *tar.Writer
	left, most Limits
	// out are directories that are left out and not written: one is when something in it
	// is not left out.
	out []directory
}

type directory struct {
	name string
	info fs.FileInfo
}

// add writes one file, directory or link.
func (k *packer) add(name string, info fs.FileInfo, out bool) error {
	for len(k.out) > 0 && !strings.HasPrefix(name, k.out[len(k.out)-1].name+"/") {
		k.out = k.out[:len(k.out)-1]
	}
	if out {
		k.out = append(k.out, directory{name, info})
		return nil
	}
	above := k.out
	k.out = nil
	for _, d := range above {
		if err := k.write(d.name, d.info); err != nil {
			return err
		}
	}
	return k.write(name, info)
}

func (k *packer) write(name string, info fs.FileInfo) (err error) {
	if len(name) > maxPath {
		return fmt.Errorf("%.100q…: the path has more than %d bytes", name, maxPath)
	}
	h := &tar.Header{Name: name, Mode: int64(info.Mode().Perm()), Format: tar.FormatPAX}
	switch {
	case info.IsDir():
		h.Typeflag = tar.TypeDir
	case info.Mode().IsRegular():
		h.Typeflag, h.Size = tar.TypeReg, info.Size()
	case info.Mode()&fs.ModeSymlink != 0:
		h.Typeflag = tar.TypeSymlink
		if h.Linkname, err = os.Readlink(k.tree.path(name)); err != nil {
			return err
		}
	default:
		k.Skipped = append(k.Skipped, name)
		return nil
	}
	if err := k.left.take(h.Size, k.most); err != nil {
		return err
	}
	k.Files, k.Bytes = k.Files+1, k.Bytes+h.Size
	if h.Typeflag != tar.TypeReg {
		return k.tar.WriteHeader(h)
	}
	f, err := os.Open(k.tree.path(name))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := k.tar.WriteHeader(h); err != nil {
		return err
	}
	if n, err := io.Copy(k.tar, io.LimitReader(f, h.Size)); err != nil || n < h.Size {
		return errors.Join(err, fmt.Errorf("%s became shorter while it was read", name))
	}
	return nil
}
