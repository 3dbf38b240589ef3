package builds

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// Rules are the build rules of a repository.
type Rules struct {
	Repository, Namespace string // ids
	Name                  string // full name of the repository
	Source                string // id of the git source; "" for no automated builds
	Rules                 []events.BuildRule
	FromFile              bool // those in .hubledger.yml of a commit are taken instead, when it has that file
	Event                 string
	Changed               time.Time
	Actor                 string // who set them
	Seq                   uint64
}

const ruleColumns = `SELECT b.repository, b.namespace, b.name, b.source, b.rules, b.from_file, b.event, b.time, b.actor, b.seq FROM rules b `

func scanRules(row projections.Row) (Rules, error) {
	var r Rules
	var repository, namespace, source []byte
	var rules string
	var changed int64
	err := row.Scan(&repository, &namespace, &r.Name, &source, &rules, &r.FromFile, &r.Event, &changed, &r.Actor, &r.Seq)
	if err != nil {
		return r, err
	}
	r.Repository, r.Namespace, r.Changed = projections.IDOf(repository), projections.IDOf(namespace), timeOf(changed)
	if len(source) > 0 {
		r.Source = projections.IDOf(source)
	}
	if err := json.Unmarshal([]byte(rules), &r.Rules); err != nil {
		return r, fmt.Errorf("rules of %s: %w", r.Name, err)
	}
	return r, nil
}

// Rules are those of a repository, by its id; ErrNotFound when they never were set.
func (r Reader) Rules(ctx context.Context, repository string) (*Rules, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	rules, err := scanRules(r.DB.QueryRowContext(ctx, ruleColumns+`WHERE b.repository = $1`, raw))
	return one(&rules, err)
}

// Fed counts the repositories but one, by its id, whose rules are for a source.
func (r Reader) Fed(ctx context.Context, source, but string) (n int, err error) {
	from, err := key(source)
	if err != nil {
		return 0, err
	}
	other, err := key(but)
	if err != nil {
		return 0, err
	}
	err = r.DB.QueryRowContext(ctx, `SELECT COUNT(*) FROM rules b LEFT JOIN repositories g ON g.repository = b.repository
		WHERE b.source = $1 AND b.repository <> $2 AND COALESCE(g.live, 1) = 1`, from, other).Scan(&n)
	return n, err
}
