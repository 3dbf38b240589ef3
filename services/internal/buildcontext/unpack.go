package buildcontext

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
)

// Unpack writes the files of a tar file, which may be compressed with gzip, into a
// directory. Who wrote it is not trusted: nothing is written outside of the directory,
// also not by way of links, there are no devices in it, and no more than most says. Links
// may name whatever they want: nothing is read through them here. Of a file's permissions
// those to read, write and execute count. The error is ErrTooLarge, or says what of the
// file cannot be; after it the directory may have files.
func Unpack(r io.Reader, dir string, most Limits) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	plain, err := decompressed(r)
	if err != nil {
		return err
	}
	// Headers take space, too, and what is compressed may hide any number of them.
	in := &bounded{in: plain, left: 2*most.Bytes + 1<<20}
	u := unpacker{root: root, tar: tar.NewReader(in), left: most, most: most}
	for {
		h, err := u.tar.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("it is no tar file: %w", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		if err := u.entry(h); errors.Is(err, ErrTooLarge) {
			return err
		} else if err != nil {
			return fmt.Errorf("%.200q: %w", h.Name, err)
		}
	}
}

// decompressed is what was compressed, if it was.
func decompressed(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	if magic, err := in.Peek(2); err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
		return in, nil
	}
	return gzip.NewReader(in)
}

// bounded fails behind so many bytes.
type bounded struct {
	in   io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("%w: its headers and files have too many bytes", ErrTooLarge)
	}
	return n, err
}

type unpacker struct {
	root       *os.Root
	tar        *tar.Reader
	left, most Limits
}

// entry writes one file, directory or link.
func (u *unpacker) entry(h *tar.Header) error {
	name := filepath.FromSlash(path.Clean(h.Name))
	if len(h.Name) > maxPath || len(h.Linkname) > maxPath {
		return fmt.Errorf("the path has more than %d bytes", maxPath)
	}
	if !filepath.IsLocal(name) {
		return errors.New("it leads out of the directory")
	}
	if err := u.left.take(h.Size, u.most); err != nil {
		return err
	}
	mode := fs.FileMode(h.Mode).Perm()
	var create func() error
	switch h.Typeflag {
	case tar.TypeDir:
		return u.mkdir(name, mode|0o700)
	case tar.TypeSymlink:
		create = func() error { return u.root.Symlink(h.Linkname, name) }
	case tar.TypeLink:
		create = func() error { return u.root.Link(filepath.FromSlash(path.Clean(h.Linkname)), name) }
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		create = func() error { return u.write(name, mode|0o600) }
	case tar.TypeChar, tar.TypeBlock:
		return errors.New("it is a device: a directory that is built has files, directories and links")
	default:
		return errors.New("it is no file, directory or link")
	}
	err := create()
	if errors.Is(err, fs.ErrNotExist) && h.Typeflag != tar.TypeLink { // its directory comes later, or never
		if err = u.mkdir(filepath.Dir(name), 0o755); err == nil {
			err = create()
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return errors.New("there are two of that name")
	}
	return err
}

// mkdir makes a directory and those above it, each of which counts. One that is there
// stays.
func (u *unpacker) mkdir(name string, mode fs.FileMode) error {
	err := u.root.Mkdir(name, mode)
	if errors.Is(err, fs.ErrNotExist) && name != "." {
		if err = u.left.take(0, u.most); err == nil {
			err = u.mkdir(filepath.Dir(name), 0o755)
		}
		if err == nil {
			err = u.root.Mkdir(name, mode)
		}
	}
	if err == nil {
		return u.root.Chmod(name, mode) // whatever the umask is
	}
	if errors.Is(err, fs.ErrExist) {
		if info, serr := u.root.Stat(name); serr == nil && info.IsDir() {
			return nil
		}
		return errors.New("there are two of that name")
	}
	return err
}

func (u *unpacker) write(name string, mode fs.FileMode) error {
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, u.tar)
	return errors.Join(err, f.Chmod(mode), f.Close()) // whatever the umask is
}
