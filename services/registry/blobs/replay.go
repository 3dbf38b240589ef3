package blobs

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
)

// replay makes whole every small blob that the journal of a store that was not closed
// promises, and removes the journal. A blob that was removed since may be back.
func (s *Store) replay() error {
	dir := filepath.Join(s.cfg.Dir, "journal")
	var segments []string
	if err := eachName(s.fs, dir, func(name string) error {
		segments = append(segments, filepath.Join(dir, name))
		return nil
	}); err != nil {
		return err
	}
	if len(segments) == 0 {
		return nil
	}
	restored := 0
	for _, path := range segments {
		n, err := s.replaySegment(path)
		if err != nil {
			return fmt.Errorf("bring back small blobs from %s: %w", path, err)
		}
		restored += n
	}
	f, err := s.fs.OpenFile(dir, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.fs.SyncAll(f); err != nil {
		return err
	}
	for _, path := range segments {
		if err := s.fs.Remove(path); err != nil {
			return err
		}
	}
	if restored > 0 {
		s.log.Info("small blobs whose files a crash had damaged are back from the journal", "blobs", restored)
	}
	return s.fs.Sync(f)
}

// replaySegment writes the files of a segment's blobs that are not whole and says how
// many. They are not synced yet.
func (s *Store) replaySegment(path string) (restored int, err error) {
	f, err := s.fs.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, largeBuffer)
	for {
		d, content, ok := nextRecord(r)
		if !ok {
			return restored, nil
		}
		if s.isWhole(d, content) {
			continue
		}
		if err := s.rewrite(d, content); err != nil {
			return restored, err
		}
		restored++
	}
}

// nextRecord reads a record; ok is false at the end of what is whole.
func nextRecord(r *bufio.Reader) (d digest.Digest, content []byte, ok bool) {
	length, err := r.ReadByte()
	if err != nil {
		return "", nil, false
	}
	head := make([]byte, int(length)+4)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", nil, false
	}
	d = digest.Digest(head[:length])
	size := binary.BigEndian.Uint32(head[length:])
	if checkDigest(d) != nil || size > journaled {
		return "", nil, false
	}
	content = make([]byte, size)
	if _, err := io.ReadFull(r, content); err != nil || d.Algorithm().FromBytes(content) != d {
		return "", nil, false
	}
	return d, content, true
}

// isWhole says whether the blob's file has this content.
func (s *Store) isWhole(d digest.Digest, content []byte) bool {
	f, err := s.fs.OpenFile(s.blobPath(d), os.O_RDONLY)
	if err != nil {
		return false
	}
	defer f.Close()
	there, err := io.ReadAll(io.LimitReader(f, journaled+1))
	return err == nil && string(there) == string(content)
}

// rewrite gives a blob a new file, whatever there was under its name.
func (s *Store) rewrite(d digest.Digest, content []byte) error {
	path := s.pendingPath(d)
	f, err := s.fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return noSpace(err)
	}
	_, err = s.fs.WriteAt(f, content, 0)
	if err = errors.Join(err, f.Close()); err != nil {
		return noSpace(err)
	}
	return s.fs.Rename(path, s.blobPath(d))
}
