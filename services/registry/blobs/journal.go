package blobs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

const (
	// journaled is the size in bytes up to which a blob becomes durable by the journal.
	journaled = 64 << 10
	// segmentAge is how long after its first blob a segment is checkpointed, full or not.
	segmentAge = 30 * time.Second
)

// The journal makes small blobs durable: their contents are appended to a file that
// is synced once for all pushes of that moment, where each file of their own would
// need a sync of itself and of its directory. Then they get their names in blobs/
// without a sync. A checkpoint syncs the whole file system and removes the segment,
// so that what is in the journal and what is durable by itself is never less than
// what was promised. Open replays the segments that a crash has left.
type journal struct {
	fs     FS
	log    *slog.Logger
	dir    string
	limit  int64           // bytes of a segment
	failed func(error)     // a sync failed: nothing can be promised any more
	turn   chan struct{}   // holds one token while a checkpoint runs
	work   *sync.WaitGroup // of the store
	mu     sync.Mutex      // guards what follows, and the order of appends
	seg    *segment        // that is written to; nil: the next blob begins one
	number uint64          // of the next segment
}

// A segment is one file of the journal: records, one after the other, of
//
//	length of the digest   1 byte
//	digest                 text
//	size                   4 bytes, big-endian
//	content
//
// It ends where a record is cut off or its content is not of its digest.
type segment struct {
	sharedSync
	size  int64
	users sync.WaitGroup // who has appended and not given its blobs their names yet
}

// appendRecord adds one blob, whose content is in f, to a batch of records.
func appendRecord(batch []byte, d digest.Digest, f io.ReaderAt, size int) ([]byte, error) {
	batch = append(batch, byte(len(d)))
	batch = append(batch, d...)
	batch = binary.BigEndian.AppendUint32(batch, uint32(size))
	at := len(batch)
	batch = slices.Grow(batch, size)[:at+size]
	if n, err := f.ReadAt(batch[at:], 0); n < size {
		return batch, err
	}
	return batch, nil
}

// write returns when a batch of records is durable. The caller then gives the blobs
// their names and calls named; the segment stays at least until then.
func (j *journal) write(batch []byte) (named func(), err error) {
	seg, err := j.append(batch)
	if err != nil {
		return nil, err
	}
	if err := seg.sync(); err != nil {
		seg.users.Done()
		j.failed(err)
		return nil, fmt.Errorf("sync the journal of small blobs: %w", err)
	}
	return seg.users.Done, nil
}

func (j *journal) append(batch []byte) (*segment, error) {
	j.mu.Lock()
	seg := j.seg
	for seg != nil && seg.size >= j.limit {
		j.mu.Unlock()
		j.end(seg) // waits for the checkpoint before, so there are never more than two
		j.mu.Lock()
		seg = j.seg
	}
	defer j.mu.Unlock()
	if seg == nil {
		var err error
		if seg, err = j.begin(); err != nil {
			return nil, err
		}
	}
	if _, err := j.fs.WriteAt(seg.f, batch, seg.size); err != nil {
		seg.size = j.limit // what follows a torn record would not be found
		return nil, fmt.Errorf("write the journal of small blobs: %w", noSpace(err))
	}
	seg.size += int64(len(batch))
	seg.users.Add(1)
	return seg, nil
}

// begin makes a segment whose name is durable. The caller holds mu.
func (j *journal) begin() (*segment, error) {
	path := j.dir + "/" + strconv.FormatUint(j.number, 10)
	j.number++
	f, err := j.fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err == nil {
		if err = syncDir(j.fs, j.dir); err != nil {
			err = errors.Join(err, f.Close(), j.fs.Remove(path))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("begin a segment of the journal of small blobs: %w", noSpace(err))
	}
	seg := &segment{sharedSync: sharedSync{path: path, fs: j.fs, f: f}}
	j.seg = seg
	time.AfterFunc(segmentAge, func() { j.end(seg) })
	return seg, nil
}

// end takes a segment out of use and checkpoints it in the background. A segment that
// has been taken out before is left alone.
func (j *journal) end(seg *segment) {
	j.turn <- struct{}{}
	j.mu.Lock()
	mine := j.seg == seg
	if mine {
		j.seg = nil
		j.work.Add(1)
	}
	j.mu.Unlock()
	if !mine {
		<-j.turn
		return
	}
	go func() {
		defer j.work.Done()
		defer func() { <-j.turn }()
		j.checkpoint(seg)
	}()
}

// checkpoint makes durable what a segment's blobs are by themselves, then removes it.
func (j *journal) checkpoint(seg *segment) {
	seg.users.Wait()
	defer seg.close()
	if err := j.fs.SyncAll(seg.f); err != nil {
		j.failed(err)
		j.log.Error("small blobs cannot be made durable, their journal stays", "segment", seg.path, "err", err)
		return
	}
	if err := j.fs.Remove(seg.path); err != nil {
		j.log.Warn("a segment of the journal of small blobs cannot be removed; the next start replays it", "segment", seg.path, "err", err)
	}
}

// close checkpoints what is left and returns when that is done.
func (j *journal) close() {
	j.mu.Lock()
	seg := j.seg
	j.mu.Unlock()
	if seg != nil {
		j.end(seg)
	}
}
