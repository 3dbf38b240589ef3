package builds

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// A Push is what the rules of a repository have made of a ref that moved.
type Push struct {
	Source      string              // id
	Ref, Commit string              // full name of the ref, and where it stood
	Pull        *events.PullRequest // nil for a branch or tag
	RulesEvent  string              // id of the event that set the rules
	Verdicts    []events.RuleVerdict
	File        *events.RulesFile // the file that counted instead of those rules; nil: it did not
	Move        string            // id of the event that moved the ref
	Pending     int               // builds that it asks for and that are not queued yet
	Evaluated   time.Time
	Seq         uint64
}

const pushColumns = `SELECT p.source, p.ref, p.commit_id, p.rules, p.verdicts, p.file, p.pull, p.move, COALESCE(a.pending, 0), p.time, p.seq FROM pushes p
	LEFT JOIN asked a ON a.push = p.event `

func scanPush(row projections.Row) (Push, error) {
	var p Push
	var source []byte
	var verdicts, file, pull string
	var at int64
	err := row.Scan(&source, &p.Ref, &p.Commit, &p.RulesEvent, &verdicts, &file, &pull, &p.Move, &p.Pending, &at, &p.Seq)
	if err != nil {
		return p, err
	}
	p.Source, p.Evaluated, p.Pending = projections.IDOf(source), timeOf(at), max(0, p.Pending)
	if p.File, err = optionalOf[events.RulesFile](file); err != nil {
		return p, fmt.Errorf("file of rules of %s: %w", p.Ref, err)
	}
	if p.Pull, err = optionalOf[events.PullRequest](pull); err != nil {
		return p, fmt.Errorf("pull request %s: %w", p.Ref, err)
	}
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
	return projections.ListOf(ctx, r.DB, scanPush, pushColumns+`
		WHERE p.repository = $1 AND p.seq < $2 ORDER BY p.seq DESC LIMIT $3`, raw, int64(before), n)
}

// PushOf is the latest evaluation of a ref by the rules of a repository; ErrNotFound.
func (r Reader) PushOf(ctx context.Context, repository, source, ref string) (*Push, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	from, err := key(source)
	if err != nil {
		return nil, err
	}
	p, err := scanPush(r.DB.QueryRowContext(ctx, pushColumns+`WHERE p.repository = $1 AND p.source = $2 AND p.ref = $3`, raw, from, projections.Stored(ref)))
	return one(&p, err)
}
