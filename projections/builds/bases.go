package builds

import (
	"context"

	"hubledger/events"
	"hubledger/projections"
)

// Bases are the images that a build was made from, as its builder told them.
func (r Reader) Bases(ctx context.Context, build string) ([]events.BuildBase, error) {
	raw, err := key(build)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (b events.BuildBase, err error) {
		err = row.Scan(&b.Name, &b.Digest, &b.Platform, &b.Repository, &b.Tag)
		return b, err
	}, `SELECT a.name, a.digest, a.platform, a.repository, a.tag FROM bases a WHERE a.build = $1 ORDER BY a.number`, raw)
}

// An OnBase is a build that is to be made again when an image that it was made from
// changes, with one of those images.
type OnBase struct {
	Build            string // id of the latest build of its ref and rule
	Made             string // id of that which had the image: the same, or what it failed to make again
	Repository, Rule string // of the build: id, and name
	Base             events.BuildBase
	Moved            uint64 // sequence of the move of its ref
}

// OnBases lists such builds that have ended, with the images by the tags of this hub that
// they were made from: at most n rows, the builds that were queued last first. The rule
// wants it, and the ref is at the commit still.
func (r Reader) OnBases(ctx context.Context, n int) ([]OnBase, error) {
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (o OnBase, err error) {
		var build, made, repository []byte
		b := &o.Base
		err = row.Scan(&build, &made, &repository, &o.Rule, &b.Name, &b.Digest, &b.Platform, &b.Repository, &b.Tag, &o.Moved)
		o.Build, o.Made, o.Repository = projections.IDOf(build), projections.IDOf(made), projections.IDOf(repository)
		return o, err
	}, `SELECT l.build, a.build, l.repository, l.rule, a.name, a.digest, a.platform, a.repository, a.tag, f.seq
		FROM lines l JOIN queued q ON q.build = l.build JOIN states s ON s.build = l.build
		JOIN refs f ON f.source = l.source AND f.ref = l.ref AND f.commit_id = q.commit_id
		JOIN bases a ON a.build = CASE WHEN s.outcome = 'succeeded' THEN l.build ELSE q.again END
		LEFT JOIN repositories g ON g.repository = l.repository
		WHERE l.rebuild = 1 AND s.state = 'ended' AND (s.outcome = 'succeeded' OR q.rebuild <> '') AND COALESCE(g.live, 1) = 1 AND a.repository <> '' AND a.tag <> ''
		ORDER BY l.seq DESC LIMIT $1`, n)
}
