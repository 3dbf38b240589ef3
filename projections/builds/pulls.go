package builds

import (
	"context"
	"encoding/json"

	"hubledger/events"
	"hubledger/projections"
)

// testedBy is the sequence of the latest rules that may test pull requests of a source s,
// 0 for none.
const testedBy = `COALESCE((SELECT MAX(b.seq) FROM rules b LEFT JOIN repositories g ON g.repository = b.repository
	WHERE b.source = s.source AND b.tests = 1 AND COALESCE(g.live, 1) = 1), 0)`

// Pulls says of a source whether its pull requests are wanted and watched.
type Pulls struct {
	Rules   uint64 // sequence of the latest rules that may test them, 0 for none
	Watched bool   // the first look is complete
}

// Pulls are those of a source; ErrNotFound.
func (r Reader) Pulls(ctx context.Context, source string) (*Pulls, error) {
	raw, err := key(source)
	if err != nil {
		return nil, err
	}
	var p Pulls
	err = r.DB.QueryRowContext(ctx, `SELECT `+testedBy+`, COALESCE((SELECT w.live FROM watched w WHERE w.source = s.source), 0)
		FROM sources s WHERE s.source = $1`, raw).Scan(&p.Rules, &p.Watched)
	return one(&p, err)
}

// A PullAt is where a pull request stands.
type PullAt struct {
	Commit string // "" when it was closed
	Pull   events.PullRequest
}

// PullsAt are all pull requests of a source that ever were seen, by the full names of
// their refs.
func (r Reader) PullsAt(ctx context.Context, source string) (map[string]PullAt, error) {
	raw, err := key(source)
	if err != nil {
		return nil, err
	}
	at := map[string]PullAt{}
	_, err = projections.ListOf(ctx, r.DB, func(row projections.Row) (none struct{}, err error) {
		var name, pull string
		var p PullAt
		if err := row.Scan(&name, &p.Commit, &pull); err != nil {
			return none, err
		}
		err = json.Unmarshal([]byte(pull), &p.Pull)
		at[name] = p
		return none, err
	}, `SELECT r.ref, r.commit_id, r.pull FROM refs r WHERE r.source = $1 AND r.pull <> ''`, raw)
	return at, err
}

// ToldPulls is what the latest webhooks about pull requests of a source say, by number.
func (r Reader) ToldPulls(ctx context.Context, source string) (map[int]events.HookPullRequest, error) {
	raw, err := key(source)
	if err != nil {
		return nil, err
	}
	list, err := projections.ListOf(ctx, r.DB, func(row projections.Row) (p events.HookPullRequest, err error) {
		var text string
		if err := row.Scan(&text); err != nil {
			return p, err
		}
		return p, json.Unmarshal([]byte(text), &p)
	}, `SELECT k.pull FROM told k WHERE k.source = $1`, raw)
	told := make(map[int]events.HookPullRequest, len(list))
	for _, p := range list {
		told[p.Number] = p
	}
	return told, err
}

// PullRequests lists at most n pull requests of a source, those that changed last first,
// from before a sequence on; 0 is the beginning. Closed ones are among them.
func (r Reader) PullRequests(ctx context.Context, source string, before uint64, n int) ([]Ref, error) {
	return r.listRefs(ctx, `r.pull <> ''`, source, before, n)
}

// WaitingOfClosed lists the waiting builds of pull requests that were closed.
func (r Reader) WaitingOfClosed(ctx context.Context) ([]Build, error) {
	return projections.ListOf(ctx, r.DB, scanBuild, buildColumns+`JOIN refs f ON f.source = q.source AND f.ref = q.ref
		WHERE s.state = $1 AND q.pull <> '' AND f.commit_id = '' ORDER BY s.seq`, Waiting)
}
