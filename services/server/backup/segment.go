package backup

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"hubledger/events"
	"hubledger/projections/journal"
	"hubledger/services/internal/durable"
)

// A Segment is a stretch of the log in one file.
type Segment struct {
	// Format is 1 when the tree is the one of which checkpoints are signed. The first version
	// hashed the leaves once more: 0.
	Format     int      `json:"format,omitempty"`
	Generation string   `json:"generation"`
	First      uint64   `json:"first"`
	Last       uint64   `json:"last"`
	SHA256     string   `json:"sha256"`           // of the file, hexadecimal
	Size       int64    `json:"size"`             // of the file, in bytes
	Before     [][]byte `json:"before,omitempty"` // roots of the perfect trees over the leaves before First, the largest first
	Peaks      [][]byte `json:"peaks"`            // the same up to Last
}

// segmentFormat is that of the segments of new backups.
const segmentFormat = 1

// Bounds of a segment, before it is compressed.
const (
	maxSegmentEvents = 50_000
	maxSegmentBytes  = 64 << 20
)

func (s Segment) name() string { return fmt.Sprintf("%012d-%012d", s.First, s.Last) }

func logDir(dir string) string { return filepath.Join(dir, "log") }

// A line is one event of a segment. The names are those of CloudEvents' JSON format where
// that has some; data stands as it is in the log, byte for byte.
type line struct {
	Seq        uint64            `json:"seq"`
	Subject    string            `json:"subject"`
	Attributes map[string]string `json:"attributes"`
	Data       []byte            `json:"data_base64"`
}

func lineOf(e *events.Event) line {
	l := line{Seq: e.Seq, Subject: e.Subject, Attributes: make(map[string]string, len(e.Attributes)), Data: e.Data}
	for _, a := range e.Attributes {
		l.Attributes[a.Name] = a.Value
	}
	return l
}

func (l line) event() events.Event {
	e := events.Event{Seq: l.Seq, Subject: l.Subject, Data: l.Data}
	for name, value := range l.Attributes {
		e.Set(name, value)
	}
	return e
}

// Segments lists those of a backup, in the order of the log. ErrDamaged when one is missing
// or cannot be read.
func Segments(dir string) (list []Segment, err error) {
	names, err := os.ReadDir(logDir(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range names {
		name := e.Name()
		if !strings.HasSuffix(name, ".json") || strings.HasPrefix(name, ".") { // of a file that is being replaced
			continue
		}
		text, err := os.ReadFile(filepath.Join(logDir(dir), name))
		if err != nil {
			return nil, err
		}
		var s Segment
		if err := json.Unmarshal(text, &s); err != nil || s.name()+".json" != name {
			return nil, fmt.Errorf("%s says nothing of a segment of that name: %w", name, ErrDamaged)
		}
		list = append(list, s)
	}
	// Two nodes that add to an archive at the same time begin at the same event and may end at
	// different ones: the longer segment has what the other has.
	slices.SortFunc(list, func(a, b Segment) int { return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(b.Last, a.Last)) })
	list = slices.CompactFunc(list, func(a, b Segment) bool { return a.First == b.First })
	next := uint64(1)
	for _, s := range list {
		if s.First != next || s.Last < s.First || s.Generation != list[0].Generation || s.Format != list[0].Format {
			return nil, fmt.Errorf("event %d is in none of its segments: %w", next, ErrDamaged)
		}
		next = s.Last + 1
	}
	return list, nil
}

// writeLog adds the segments that the backup lacks.
func writeLog(ctx context.Context, c Config, dir string, s *Summary) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("copy the log: %w", err)
		}
	}()
	if err := durable.MakeDir(c.fs(), dir, logDir(dir)); err != nil {
		return err
	}
	list, err := Segments(dir)
	if err != nil {
		return err
	}
	p := peaks{format: segmentFormat}
	if n := len(list); n > 0 {
		if list[n-1].Generation != c.Generation {
			return fmt.Errorf("%s: %w", dir, ErrForeign)
		}
		s.Events = list[n-1].Last
		if p, err = peaksOf(list[n-1].Format, s.Events, list[n-1].Peaks); err != nil {
			return err
		}
	}
	end, err := journal.Last(ctx, c.Journal)
	if err != nil {
		return err
	}
	if end < s.Events {
		return fmt.Errorf("the backup has event %d, but the log ends with event %d: %w", s.Events, end, ErrForeign)
	}
	for s.Events < end {
		seg, err := writeSegment(ctx, c, dir, s.Events+1, end, &p)
		if err != nil {
			return err
		}
		s.Added.Events += seg.Last - seg.First + 1
		s.Events = seg.Last
		c.Progress(int64(s.Events), int64(end), "events")
	}
	s.Root = p.root()
	return nil
}

// writeSegment writes one segment from an event on, at most to another one.
func writeSegment(ctx context.Context, c Config, dir string, first, end uint64, p *peaks) (seg Segment, err error) {
	if err := checkRoom(dir, 2*maxSegmentBytes); err != nil {
		return seg, err
	}
	f, err := durable.Create(c.fs(), logDir(dir), writing)
	if err != nil {
		return seg, err
	}
	defer f.Close()
	sum := sha256.New()
	z, err := zstd.NewWriter(io.MultiWriter(f, sum))
	if err != nil {
		return seg, err
	}
	seg = Segment{Format: p.format, Generation: c.Generation, First: first, Last: first - 1, Before: p.bytes()}
	out, written := json.NewEncoder(z), int64(0)
	for seg.Last < end && seg.Last-first+1 < maxSegmentEvents && written < maxSegmentBytes {
		list, err := journal.List(ctx, c.Journal, journal.Filter{After: seg.Last, Limit: 500})
		if err != nil {
			return seg, err
		}
		if len(list) == 0 {
			return seg, fmt.Errorf("the journal ends behind event %d", seg.Last)
		}
		for _, e := range list {
			if e.Seq != seg.Last+1 {
				return seg, fmt.Errorf("event %d is not in the journal", seg.Last+1)
			}
			if events.LeafOf(&e.Event) != e.Leaf {
				return seg, fmt.Errorf("event %d of the journal does not match its leaf: `hubledger verify` says more", e.Seq)
			}
			if err := out.Encode(lineOf(&e.Event)); err != nil {
				return seg, err
			}
			p.add(e.Leaf)
			written += int64(len(e.Data))
			if seg.Last = e.Seq; seg.Last == end {
				break
			}
		}
	}
	if err := z.Close(); err != nil {
		return seg, err
	}
	seg.Size, seg.SHA256, seg.Peaks = f.Size(), hex.EncodeToString(sum.Sum(nil)), p.bytes()
	if err := f.Name(filepath.Join(logDir(dir), seg.name()+".jsonl.zst")); err != nil {
		return seg, err
	}
	text, err := json.Marshal(seg)
	if err != nil {
		return seg, err
	}
	// What the segment is comes last: without it the file does not count.
	return seg, c.replace(filepath.Join(logDir(dir), seg.name()+".json"), append(text, '\n'))
}

// Events calls each with the events of a backup in their order, and compares every segment
// with what it should be: its bytes, its events, and the Merkle tree over all of them so
// far, up to the root that the summary has. Segments behind it are of a backup that was not
// completed, and do not count. ErrDamaged, and which segment.
func Events(ctx context.Context, dir string, summary Summary, each func(e *events.Event, leaf events.Leaf) error) error {
	list, err := Segments(dir)
	if err != nil {
		return err
	}
	var p peaks
	for _, s := range list {
		if s.First > summary.Events {
			break
		}
		p.format = s.Format
		if s.Generation != summary.Generation {
			return fmt.Errorf("segment %s is of generation %s, the backup is of %s: %w", s.name(), s.Generation, summary.Generation, ErrDamaged)
		}
		if err := readSegment(ctx, dir, s, &p, each); err != nil {
			return fmt.Errorf("segment %s: %w", s.name(), err)
		}
	}
	if p.size != summary.Events || p.root() != summary.Root {
		return fmt.Errorf("its segments have %d events, with another Merkle tree than that of %d events which it had: %w", p.size, summary.Events, ErrDamaged)
	}
	return nil
}

func readSegment(ctx context.Context, dir string, s Segment, p *peaks, each func(*events.Event, events.Leaf) error) error {
	f, err := os.Open(filepath.Join(logDir(dir), s.name()+".jsonl.zst"))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("its file is missing: %w", ErrDamaged)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	// Before anything of it is believed.
	sum := sha256.New()
	if n, err := io.Copy(sum, f); err != nil {
		return err
	} else if n != s.Size || hex.EncodeToString(sum.Sum(nil)) != s.SHA256 {
		return fmt.Errorf("its file is not what was written: %w", ErrDamaged)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	z, err := zstd.NewReader(bufio.NewReader(f), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return err
	}
	defer z.Close()
	in := json.NewDecoder(z)
	for seq := s.First; seq <= s.Last; seq++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var l line
		if err := in.Decode(&l); err != nil || l.Seq != seq {
			return fmt.Errorf("event %d cannot be read in it: %w", seq, ErrDamaged)
		}
		e := l.event()
		if err := e.Check(); err != nil {
			return fmt.Errorf("event %d: %w: %w", seq, ErrDamaged, err)
		}
		leaf := events.LeafOf(&e)
		p.add(leaf)
		if err := each(&e, leaf); err != nil {
			return err
		}
	}
	if in.More() {
		return fmt.Errorf("it has more than event %d: %w", s.Last, ErrDamaged)
	}
	if !slices.EqualFunc(p.bytes(), s.Peaks, slices.Equal[[]byte]) {
		return fmt.Errorf("the Merkle tree over its events is another one: %w", ErrDamaged)
	}
	return nil
}
