package builds

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// A DuePush is a ref that moved and that the rules of a repository have not been
// evaluated for since.
type DuePush struct {
	Repository, Namespace, Source string // ids
	Name                          string // full name of the repository
	Ref, Commit                   string // full name of the ref, and where it stands
	Previous                      string // commit of the evaluation before, "" for none
	RulesEvent                    string // id of the event that set the rules
	Rules                         []events.BuildRule
}

// duePushes: of refs that were there when their source was first swept, only those of
// sources that were linked with that wish; of all others those that moved since the rules are for their
// source. Deleted refs, sources and repositories have none.
const duePushes = ` FROM rules b JOIN feeds f ON f.repository = b.repository AND f.source = b.source
	JOIN sources s ON s.source = b.source AND s.live = 1
	JOIN refs r ON r.source = b.source AND r.commit_id <> '' AND ((r.initial = 0 AND r.seq > f.seq) OR (r.initial = 1 AND s.build_existing = 1))
	LEFT JOIN pushes p ON p.repository = b.repository AND p.source = r.source AND p.ref = r.ref
	LEFT JOIN repositories g ON g.repository = b.repository
	WHERE (p.move IS NULL OR p.move <> r.event) AND COALESCE(g.live, 1) = 1 `

func scanDuePush(row projections.Row) (DuePush, error) {
	var p DuePush
	var repository, namespace, source []byte
	var rules string
	if err := row.Scan(&repository, &namespace, &source, &p.Name, &p.Ref, &p.Commit, &p.Previous, &p.RulesEvent, &rules); err != nil {
		return p, err
	}
	p.Repository, p.Namespace, p.Source = projections.IDOf(repository), projections.IDOf(namespace), projections.IDOf(source)
	if err := json.Unmarshal([]byte(rules), &p.Rules); err != nil {
		return p, fmt.Errorf("rules of %s: %w", p.Name, err)
	}
	return p, nil
}

// A DueKey names a DuePush by the repository's id and the id of the event that moved
// the ref, of which it has the correlation, too.
type DueKey struct{ Repository, Move, Correlation string }

// DuePushes lists at most n, those that moved first before others.
func (r Reader) DuePushes(ctx context.Context, n int) ([]DueKey, error) {
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (DueKey, error) {
		var k DueKey
		var repository []byte
		err := row.Scan(&repository, &k.Move, &k.Correlation)
		k.Repository = projections.IDOf(repository)
		return k, err
	}, `SELECT b.repository, r.event, r.correlation`+duePushes+`ORDER BY r.seq, b.repository LIMIT $1`, n)
}

// DuePush is one by the repository's id and the event that moved the ref; ErrNotFound
// when it is not due, or no longer.
func (r Reader) DuePush(ctx context.Context, repository, move string) (*DuePush, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	p, err := scanDuePush(r.DB.QueryRowContext(ctx, `SELECT b.repository, b.namespace, b.source, b.name, r.ref, r.commit_id, COALESCE(p.commit_id, ''), b.event, b.rules`+duePushes+`AND b.repository = $1 AND r.event = $2`, raw, move))
	return one(&p, err)
}

// A Push is what the rules of a repository have made of a ref that moved.
type Push struct {
	Source      string // id
	Ref, Commit string // full name of the ref, and where it stood
	RulesEvent  string // id of the event that set the rules
	Verdicts    []events.RuleVerdict
	Evaluated   time.Time
	Seq         uint64
}

func scanPush(row projections.Row) (Push, error) {
	var p Push
	var source []byte
	var verdicts string
	var at int64
	if err := row.Scan(&source, &p.Ref, &p.Commit, &p.RulesEvent, &verdicts, &at, &p.Seq); err != nil {
		return p, err
	}
	p.Source, p.Evaluated = projections.IDOf(source), timeOf(at)
	if err := json.Unmarshal([]byte(verdicts), &p.Verdicts); err != nil {
		return p, fmt.Errorf("verdicts on %s: %w", p.Ref, err)
	}
	return p, nil
}

// Pushes lists at most n of the latest evaluations of each ref by the rules of a
// repository, the latest first, from before a sequence on; 0 is the beginning.
func (r Reader) Pushes(ctx context.Context, repository string, before uint64, n int) ([]Push, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	if before == 0 {
		before = 1<<63 - 1
	}
	return projections.ListOf(ctx, r.DB, scanPush, `SELECT p.source, p.ref, p.commit_id, p.rules, p.verdicts, p.time, p.seq FROM pushes p
		WHERE p.repository = $1 AND p.seq < $2 ORDER BY p.seq DESC LIMIT $3`, raw, int64(before), n)
}
