package builds

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"hubledger/projections"
)

// movedAt is the sequence of the move that led to a build q of a ref f; when the ref has
// moved on, that of the first build of the commit.
const movedAt = `CASE WHEN f.commit_id = q.commit_id THEN f.seq ELSE
	(SELECT MIN(x.seq) FROM queued x WHERE x.repository = q.repository AND x.source = q.source AND x.ref = q.ref AND x.commit_id = q.commit_id) END`

// LaterRef is the ref that has a tag instead of b: another one of the same source whose
// build made the image that the tag names now, to give it that tag, and which moved later
// than that of b. "" for none. Deleted refs have no tags.
func (r Reader) LaterRef(ctx context.Context, b *Build, tag, digest string) (ref string, err error) {
	build, err := key(b.ID)
	if err != nil {
		return "", err
	}
	var moved int64
	err = r.DB.QueryRowContext(ctx, `SELECT `+movedAt+` FROM queued q JOIN refs f ON f.source = q.source AND f.ref = q.ref WHERE q.build = $1`, build).Scan(&moved)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	type given struct {
		ref  string
		tags []string
	}
	later, err := projections.ListOf(ctx, r.DB, func(row projections.Row) (g given, err error) {
		var tags string
		var at int64
		if err := row.Scan(&g.ref, &tags, &at); err != nil {
			return g, err
		}
		return g, json.Unmarshal([]byte(tags), &g.tags)
	}, `SELECT DISTINCT y.ref, y.tags, y.place FROM (SELECT q.ref, q.tags, `+movedAt+` AS place
		FROM states s JOIN queued q ON q.build = s.build JOIN queued o ON o.build = $1 AND o.repository = q.repository AND o.source = q.source AND o.ref <> q.ref
		JOIN refs f ON f.source = q.source AND f.ref = q.ref
		WHERE s.digest = $2 AND s.outcome IN ('', 'succeeded') AND f.commit_id <> '') y WHERE y.place > $3 ORDER BY y.place DESC`, build, projections.Stored(digest), moved)
	if err != nil {
		return "", err
	}
	for _, g := range later {
		if slices.Contains(g.tags, tag) {
			return g.ref, nil
		}
	}
	return "", nil
}

// LaterUpload is the build that has a tag instead of b where one of the two is of an
// uploaded directory, which has no ref: it made the image that the tag names now, to give
// it that tag, and was queued later. "" for none.
func (r Reader) LaterUpload(ctx context.Context, b *Build, tag, digest string) (build string, err error) {
	id, err := key(b.ID)
	if err != nil {
		return "", err
	}
	later, err := projections.ListOf(ctx, r.DB, scanBuild, buildColumns+`JOIN queued o ON o.build = $1 AND o.repository = q.repository AND (o.upload <> '' OR q.upload <> '')
		WHERE s.digest = $2 AND s.outcome IN ('', 'succeeded') AND q.seq > o.seq ORDER BY q.seq DESC`, id, projections.Stored(digest))
	for _, g := range later {
		if slices.Contains(g.Tags, tag) {
			return g.ID, nil
		}
	}
	return "", err
}
