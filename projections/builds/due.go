package builds

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// A Feed is a repository whose rules are for a git source that lives.
type Feed struct {
	Repository string // id
	Looks      bool   // what the rules make of a ref may depend on the files of its commit
	Version    uint64 // grows with whatever may make refs due that moved long ago
	Newest     uint64 // sequence of the latest move of a ref of the source
}

// Feeds lists all of them.
func (r Reader) Feeds(ctx context.Context) ([]Feed, error) {
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (f Feed, err error) {
		var repository []byte
		var rules, source, restored, requested uint64
		err = row.Scan(&repository, &f.Looks, &rules, &source, &restored, &f.Newest, &requested)
		f.Repository, f.Version = projections.IDOf(repository), max(rules, source, restored, requested)
		return f, err
	}, `SELECT b.repository, b.looks, b.seq, s.seq, COALESCE(g.seq, 0), COALESCE((SELECT r.seq FROM refs r WHERE r.source = b.source ORDER BY r.seq DESC LIMIT 1), 0),
		COALESCE((SELECT d.seq FROM requests d WHERE d.repository = b.repository ORDER BY d.seq DESC LIMIT 1), 0)
		FROM rules b JOIN sources s ON s.source = b.source AND s.live = 1 LEFT JOIN repositories g ON g.repository = b.repository
		WHERE COALESCE(g.live, 1) = 1 ORDER BY b.repository`)
}

// A DuePush is a ref that moved, or for which somebody has asked, and that the rules of
// a repository have not been evaluated for since.
type DuePush struct {
	Repository, Namespace, Source string              // ids
	Name                          string              // full name of the repository
	Ref, Commit                   string              // full name of the ref, and where it stands
	Pull                          *events.PullRequest // nil for a branch or tag
	Move                          string              // id of the event that moved it
	Cause                         string              // id of the event that asks for the evaluation: of the move, or a request
	Moved                         time.Time
	Seq                           uint64 // of that event
	Correlation                   string // that it has
	Previous, After               string // commit and event of the evaluation before, "" for none
	RulesEvent                    string // id of the event that set the rules
	Rules                         []events.BuildRule
	FromFile                      bool // as of Rules
}

// duePushes: those that somebody has asked for, and of refs that were there when their source was first swept, only those of
// sources that were linked with that wish; of all others those that moved since the rules are for their
// source. Of pull requests those that changed since the rules test them. Deleted refs, sources and repositories have none.
const duePushes = ` FROM rules b JOIN feeds f ON f.repository = b.repository AND f.source = b.source
	JOIN sources s ON s.source = b.source AND s.live = 1
	JOIN refs r ON r.source = b.source AND r.commit_id <> ''
	LEFT JOIN pushes p ON p.repository = b.repository AND p.source = r.source AND p.ref = r.ref
	LEFT JOIN requests d ON d.repository = b.repository AND d.source = r.source AND d.ref = r.ref AND d.seq > COALESCE(p.seq, 0)
	LEFT JOIN testing y ON y.repository = b.repository AND y.source = b.source AND b.tests = 1
	LEFT JOIN repositories g ON g.repository = b.repository
	WHERE (d.seq IS NOT NULL OR ((p.move IS NULL OR p.move <> r.event) AND CASE WHEN r.pull <> '' THEN r.initial = 0 AND r.seq > y.seq
		WHEN r.initial = 0 THEN r.seq > f.seq ELSE s.build_existing = 1 END)) AND COALESCE(g.live, 1) = 1 AND b.repository = $1 `

const dueColumns = `SELECT b.repository, b.namespace, b.source, b.name, r.ref, r.commit_id, r.event, COALESCE(d.event, r.event), r.time, r.seq, COALESCE(d.correlation, r.correlation), COALESCE(p.commit_id, ''), COALESCE(p.event, ''),
	r.pull, b.event, b.from_file, b.rules` + duePushes

func scanDuePush(row projections.Row) (DuePush, error) {
	var p DuePush
	var repository, namespace, source []byte
	var rules, pull string
	var moved int64
	err := row.Scan(&repository, &namespace, &source, &p.Name, &p.Ref, &p.Commit, &p.Move, &p.Cause, &moved, &p.Seq, &p.Correlation, &p.Previous, &p.After, &pull, &p.RulesEvent, &p.FromFile, &rules)
	if err != nil {
		return p, err
	}
	if p.Pull, err = optionalOf[events.PullRequest](pull); err != nil {
		return p, err
	}
	p.Repository, p.Namespace, p.Source, p.Moved = projections.IDOf(repository), projections.IDOf(namespace), projections.IDOf(source), timeOf(moved)
	if err := json.Unmarshal([]byte(rules), &p.Rules); err != nil {
		return p, fmt.Errorf("rules of %s: %w", p.Name, err)
	}
	return p, nil
}

// A DueKey names a DuePush of a repository by the event that asks for the evaluation, of
// which it has the correlation, too.
type DueKey struct {
	Cause, Correlation string              // ids
	Seq                uint64              // of the move
	Ref                string              // full name
	Pull               *events.PullRequest // nil for a branch or tag
	Requested          bool                // somebody asked for it
	First              bool                // the rules were never evaluated for the ref before
}

// DuePushes lists at most n of a repository, by its id, of refs that moved behind a
// sequence, those that moved first before others.
func (r Reader) DuePushes(ctx context.Context, repository string, after uint64, n int) ([]DueKey, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (k DueKey, err error) {
		var pull string
		if err := row.Scan(&k.Cause, &k.Correlation, &k.Seq, &k.Ref, &pull, &k.Requested, &k.First); err != nil {
			return k, err
		}
		k.Pull, err = optionalOf[events.PullRequest](pull)
		return k, err
	}, `SELECT COALESCE(d.event, r.event), COALESCE(d.correlation, r.correlation), r.seq, r.ref, r.pull, CASE WHEN d.seq IS NULL THEN 0 ELSE 1 END, CASE WHEN p.move IS NULL THEN 1 ELSE 0 END`+duePushes+`AND r.seq > $2 ORDER BY r.seq LIMIT $3`, raw, int64(after), n)
}

// WaitingPushes lists at most n of a repository, by its id, those that moved first
// before others.
func (r Reader) WaitingPushes(ctx context.Context, repository string, n int) ([]DuePush, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanDuePush, dueColumns+`ORDER BY r.seq LIMIT $2`, raw, n)
}

// DuePush is one by the repository's id and the event that asks for it; ErrNotFound
// when it is not due, or no longer.
func (r Reader) DuePush(ctx context.Context, repository, cause string) (*DuePush, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	p, err := scanDuePush(r.DB.QueryRowContext(ctx, dueColumns+`AND COALESCE(d.event, r.event) = $2`, raw, cause))
	return one(&p, err)
}
