package images

import (
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
)

// A TagSpan is a time in which a tag named one manifest, or was deleted.
type TagSpan struct {
	Seq     uint64        // of the event with which it began
	Digest  digest.Digest // of the manifest; of a deletion, that which the tag had named
	Deleted bool
	From    time.Time
	By      string    // login name of who pushed, restored, rolled back or deleted it
	Until   time.Time // zero: it still goes on
	// UntilSeq is the event that ended it, 0 for none: the next of the tag, or the
	// deletion of the manifest.
	UntilSeq uint64
	// Hidden says that the deletion of the manifest ended it.
	Hidden bool
}

// maxHistoryRead bounds the events of a tag that are read for one page of spans.
const maxHistoryRead = 10_000

// TagHistory lists the spans of a tag, the latest first, at most n: those that begin before
// the event of that sequence, or all with 0. A push of what the tag names already begins no
// span. more says that there are earlier ones; also when a page is not full, which is so
// behind 10,000 events.
func (r Reader) TagHistory(ctx context.Context, repo, tag string, before uint64, n int) (spans []TagSpan, more bool, err error) {
	rows, err := r.tagEvents(ctx, repo, tag, before)
	if err != nil || len(rows) == 0 {
		return nil, false, err
	}
	more = len(rows) == maxHistoryRead
	ended, err := r.deletionsOf(ctx, repo, digestsOf(rows))
	if err != nil {
		return nil, false, err
	}
	// From the earliest to the latest, since a span begins with the first event of its kind.
	var all []TagSpan
	for k, row := range slices.Backward(rows) {
		var next *TagSpan
		if k > 0 {
			next = &rows[k-1]
		}
		if last := len(all) - 1; last < 0 || all[last].Hidden || all[last].Digest != row.Digest || all[last].Deleted != row.Deleted {
			all = append(all, row)
		}
		all[len(all)-1].end(row.Seq, next, ended[row.Digest])
	}
	slices.Reverse(all)
	if before > 0 { // the first row is what ended the first span of this page
		all = all[min(1, len(all)):]
	}
	if more && len(all) > 1 {
		all = all[:len(all)-1] // its beginning was not read
	}
	if len(all) > n {
		return all[:n], true, nil
	}
	return all, more, nil
}

// end says when a span of a tag ended that goes on with the event at seq, when next is the
// next event of the tag.
func (s *TagSpan) end(seq uint64, next *TagSpan, deletions []Deletion) {
	s.Until, s.UntilSeq, s.Hidden = time.Time{}, 0, false
	if next != nil && (next.Digest != s.Digest || next.Deleted != s.Deleted) {
		s.Until, s.UntilSeq = next.From, next.Seq
	}
	if s.Deleted {
		return
	}
	for _, d := range deletions {
		if d.Seq > seq && (next == nil || d.Seq < next.Seq) {
			s.Until, s.UntilSeq, s.Hidden = d.Time, d.Seq, true
			return
		}
	}
}

func digestsOf(spans []TagSpan) (list []digest.Digest) {
	for _, s := range spans {
		list = append(list, s.Digest)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// tagEvents reads the events of a tag, the latest first, from one on.
func (r Reader) tagEvents(ctx context.Context, repo, tag string, from uint64) ([]TagSpan, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	query, args := `SELECT h.seq, h.digest, h.deleted, h.time, h.actor FROM tag_history h WHERE h.repo = $1 AND h.tag = $2`, []any{key, projections.Stored(tag), maxHistoryRead}
	if from > 0 {
		query, args = query+` AND h.seq <= $4`, append(args, int64(from))
	}
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (s TagSpan, err error) {
		var sum []byte
		var deleted, at int64
		err = row.Scan(&s.Seq, &sum, &deleted, &at, &s.By)
		s.Digest, s.Deleted, s.From = DigestOf(sum), deleted == 1, time.UnixMicro(at).UTC()
		return s, err
	}, query+` ORDER BY h.seq DESC LIMIT $3`, args...)
}

// deletionsOf are the deletions of manifests that nobody has undone, the earliest first.
func (r Reader) deletionsOf(ctx context.Context, repo string, ds []digest.Digest) (map[digest.Digest][]Deletion, error) {
	all := map[digest.Digest][]Deletion{}
	err := eachRows(repo, ds, func(marks string, args []any) error {
		rows, err := r.DB.QueryContext(ctx, `SELECT d.digest, d.deletion, d.time FROM deletions d
			WHERE d.repo = $1 AND d.digest IN (`+marks+`) AND d.undone = 0 ORDER BY d.deletion`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var sum []byte
			var d Deletion
			var at int64
			if err := rows.Scan(&sum, &d.Seq, &at); err != nil {
				return err
			}
			d.Time = time.UnixMicro(at).UTC()
			all[DigestOf(sum)] = append(all[DigestOf(sum)], d)
		}
		return rows.Err()
	})
	return all, err
}

// TagNamed finds the latest time in which a tag named a manifest: the event and when it
// was. ErrNotFound when it never did.
func (r Reader) TagNamed(ctx context.Context, repo, tag string, d digest.Digest) (seq uint64, at time.Time, err error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return 0, at, err
	}
	var micro int64
	err = r.DB.QueryRowContext(ctx, `SELECT h.seq, h.time FROM tag_history h WHERE h.repo = $1 AND h.tag = $2 AND h.digest = $3 AND h.deleted = 0
		ORDER BY h.seq DESC LIMIT 1`, key, projections.Stored(tag), sum).Scan(&seq, &micro)
	return seq, time.UnixMicro(micro).UTC(), notFound(err, "tag %s that names %s", tag, d)
}
