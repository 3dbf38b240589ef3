package backups

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"hubledger/services/cmd/backups/bucket"
	"hubledger/services/cmd/console"
	"hubledger/services/server/backup"
	"hubledger/streams/disk"
)

// read gives a command the directory of a backup, or a temporary copy of an archive in a
// bucket, which is removed at the end.
func read(s *console.Session, dir string, fn func(dir string) error) error {
	if !strings.HasPrefix(dir, bucket.Scheme) {
		dir = kong.ExpandPath(dir)
		if _, err := backup.ReadSummary(dir); err != nil {
			return fmt.Errorf("%s is no complete backup: %w", dir, err)
		}
		return fn(dir)
	}
	b, err := bucket.Open(dir)
	if err != nil {
		return err
	}
	copied, err := os.MkdirTemp("", "hubledger-archive-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(copied)
	bar := s.Bar("fetching")
	err = b.Fetch(s.Context, copied, func(string) bool { return true }, func(n int64) { bar.Set(n, 0, "files") })
	bar.End()
	if err != nil {
		return err
	}
	if _, err := backup.ReadSummary(copied); err != nil {
		return fmt.Errorf("%s has no complete archive: %w", dir, err)
	}
	return fn(copied)
}

// toBucket adds to the archive in a bucket. The hub writes what is new into the data
// directory, and this process, which alone has the keys of the bucket, copies it from there.
func toBucket(s *console.Session, address string) (made backup.Summary, err error) {
	b, err := bucket.Open(address)
	if err != nil {
		return made, err
	}
	give := s.OwnFiles("nats", "projections", "registry", "build-logs")
	place := filepath.Join(s.Data, "archiving")
	if err := os.Mkdir(place, 0o700); err != nil && !os.IsExist(err) {
		return made, fmt.Errorf("archive by way of the data directory: %w", err)
	}
	lock, err := disk.LockDir(place)
	if err != nil {
		return made, err
	}
	defer lock.Release()
	defer os.RemoveAll(place) // while it is locked: the next one may have begun in it otherwise
	dir := filepath.Join(place, "files")
	if err := os.RemoveAll(dir); err != nil { // what an interrupted archive left
		return made, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return made, err
	}
	bar := s.Bar("looking at the bucket")
	has := map[string]bool{}
	err = b.Fetch(s.Context, dir, func(name string) bool {
		has[name] = true
		return strings.HasSuffix(name, ".json") // says all that is needed of what is there
	}, func(n int64) { bar.Set(n, 0, "files") })
	bar.End()
	give()
	if err != nil {
		return made, err
	}
	if made, err = run(s, "/archive", "archiving", url.Values{"dir": {dir}}); err != nil {
		return made, err
	}
	bar = s.Bar("copying to the bucket")
	defer bar.End()
	return made, b.Put(s.Context, dir, has, func(n int64) { bar.Set(n, 0, "files") })
}
