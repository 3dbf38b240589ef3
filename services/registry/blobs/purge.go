package blobs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// PurgeUploads removes the uploads to which nothing was written for that long
// and on which nobody works, and returns how many.
func (s *Store) PurgeUploads(ctx context.Context, olderThan time.Duration) (n int, err error) {
	dir := filepath.Join(s.cfg.Dir, "uploads")
	before := time.Now().Add(-olderThan)
	err = eachName(s.fs, dir, func(name string) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		info, err := s.fs.Lstat(filepath.Join(dir, name))
		if err != nil || !info.Mode().IsRegular() || info.ModTime().After(before) || s.uploads.busy(name) {
			return nil // finished meanwhile, not ours, or alive
		}
		if err := s.cancel(name); err != nil {
			if errors.Is(err, ErrUploadUnknown) {
				return nil
			}
			return err
		}
		n++
		return nil
	})
	if err != nil {
		return n, fmt.Errorf("purge uploads: %w", err)
	}
	return n, nil
}
