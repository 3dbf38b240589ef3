package fetch

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"hubledger/services/internal/buildcontext"
)

// pack writes the files below a directory.
func pack(w io.Writer, dir string) error {
	out := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir || e.Name() == "FETCH_HEAD" && e.Type().IsRegular() {
			return err // FETCH_HEAD has an address of the cage
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		h := &tar.Header{Name: rel, Mode: int64(info.Mode().Perm()), Format: tar.FormatPAX}
		switch {
		case info.IsDir():
			h.Typeflag = tar.TypeDir
		case info.Mode().IsRegular():
			h.Typeflag, h.Size = tar.TypeReg, info.Size()
		case info.Mode()&fs.ModeSymlink != 0:
			h.Typeflag = tar.TypeSymlink
			if h.Linkname, err = os.Readlink(path); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is no file, directory or link", rel)
		}
		if err := out.WriteHeader(h); err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(out, f)
		return err
	})
	return errors.Join(err, out.Close())
}

// unpack writes such files into a directory. Who wrote them is not trusted.
func unpack(r io.Reader, dir string, l Limits) error {
	err := buildcontext.Unpack(r, dir, buildcontext.Limits{Bytes: l.Bytes, Files: l.Files})
	if errors.Is(err, buildcontext.ErrTooLarge) {
		return fmt.Errorf("%w: it has more than %d files or %d MiB", ErrTooLarge, l.Files, l.Bytes>>20)
	}
	if err != nil {
		return fmt.Errorf("take the files out of the cage: %w", err)
	}
	return nil
}
