package images

import (
	"context"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
)

// A PastTag is what a tag named at some time.
type PastTag struct {
	Name   string
	Digest digest.Digest
	Pushed time.Time // when it was pushed last before that time; restoring does not change it
	By     string    // login name of who moved the tag last before that time
	Seq    uint64    // of the event by which it named the manifest
}

// selectPast selects, of tags that rest restricts, what each named when the event $2 was
// the last of the log: by the latest of its events until then, unless that deleted the tag
// or the manifest was deleted between the two. A deletion that was undone later counts.
func selectPast(rest string) string {
	return `SELECT t.tag, h.digest, h.pushed, h.actor, h.seq FROM tags t
		JOIN tag_history h ON h.repo = t.repo AND h.tag = t.tag AND h.seq = (SELECT MAX(l.seq) FROM tag_history l WHERE l.repo = t.repo AND l.tag = t.tag AND l.seq <= $2)
		WHERE t.repo = $1 AND h.deleted = 0 AND NOT EXISTS (SELECT 1 FROM deletions d WHERE d.repo = h.repo AND d.digest = h.digest
			AND d.deletion > h.seq AND d.deletion <= $2 AND (d.undone = 0 OR d.undone > $2)) ` + rest
}

// TagAsOf is what a tag named when the event of that sequence was the last of the log.
// ErrNotFound when it named nothing.
func (r Reader) TagAsOf(ctx context.Context, repo, tag string, seq uint64) (*PastTag, error) {
	list, err := r.pastTags(ctx, repo, seq, selectPast(`AND t.tag = $3`), projections.Stored(tag))
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("tag %s as of event %d: %w", tag, seq, ErrNotFound)
	}
	return &list[0], nil
}

// TagsAsOf lists what tags named when the event of that sequence was the last of the log:
// those behind last in byte order, at most n. It looks at each tag that the repository ever
// had, until there are enough.
func (r Reader) TagsAsOf(ctx context.Context, repo, last string, seq uint64, n int) ([]PastTag, error) {
	return r.pastTags(ctx, repo, seq, selectPast(`AND t.tag > $3 ORDER BY t.tag LIMIT $4`), last, n)
}

func (r Reader) pastTags(ctx context.Context, repo string, seq uint64, query string, args ...any) ([]PastTag, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (t PastTag, err error) {
		var sum []byte
		var pushed int64
		err = row.Scan(&t.Name, &sum, &pushed, &t.By, &t.Seq)
		t.Digest, t.Pushed = DigestOf(sum), time.UnixMicro(pushed).UTC()
		return t, err
	}, query, append([]any{key, int64(seq)}, args...)...)
}

// Ever is a manifest that was ever pushed to a repository, live or deleted. ErrNotFound.
func (r Reader) Ever(ctx context.Context, repo string, d digest.Digest) (*Stored, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return nil, err
	}
	return scanStored(r.DB.QueryRowContext(ctx, `SELECT m.digest, m.media_type, m.bytes, m.seq FROM manifests m WHERE m.repo = $1 AND m.digest = $2`, key, sum), d.String())
}
