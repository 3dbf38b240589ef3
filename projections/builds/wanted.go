package builds

import (
	"context"
	"encoding/json"
	"errors"

	"hubledger/events"
	"hubledger/projections"
)

// A Wanted build is one that the rules ask for.
type Wanted struct {
	Namespace, Repository, Source string // ids
	Ref, Kind, Commit             string
	Pull                          *events.PullRequest // nil for a branch or tag
	Rule                          events.BuildRule
	FromFile                      bool // the rule comes from .hubledger.yml of the commit
	Tags                          []string
	Test, Untrusted               bool
	Push, Correlation             string // id of the event that asks for it, and of the first of its chain
}

const wantedColumns = `SELECT p.namespace, p.repository, p.source, p.ref, r.kind, p.commit_id, p.event, p.correlation, p.verdicts, p.file, p.pull, COALESCE(b.rules, '[]')
	FROM pushes p JOIN refs r ON r.source = p.source AND r.ref = p.ref LEFT JOIN rulesets b ON b.event = p.rules `

// wantedPushes are those with builds that are not queued. waiting is how many builds of the
// namespace would wait with those of the push and of earlier ones.
const wantedPushes = `JOIN (SELECT x.push, x.pending + COALESCE(w.builds, 0) AS waiting, x.pending AS place
	FROM (SELECT a.push, v.namespace, SUM(a.pending) OVER (PARTITION BY v.namespace ORDER BY v.seq) AS pending
		FROM asked a JOIN pushes v ON v.event = a.push LEFT JOIN repositories g ON g.repository = v.repository WHERE a.pending > 0 AND COALESCE(g.live, 1) = 1) x
	LEFT JOIN (SELECT q.namespace, COUNT(*) AS builds FROM states s JOIN queued q ON q.build = s.build WHERE s.state = 'waiting' GROUP BY q.namespace) w ON w.namespace = x.namespace) y
	ON y.push = p.event WHERE y.waiting <= $1 ORDER BY y.place, p.seq LIMIT $2`

// WantedBuilds lists builds that are not queued yet, of n pushes that have such, those
// first that were evaluated first in their namespace. Builds that would let more than
// most of one namespace wait are not among them, and those of a push come together;
// some of these may be queued already.
func (r Reader) WantedBuilds(ctx context.Context, most, n int) ([]Wanted, error) {
	return r.wanted(ctx, wantedColumns+wantedPushes, most, n)
}

// WantedBuild is the build that a push asks for by a rule, queued or not; ErrNotFound,
// also when the push was followed by another of its ref.
func (r Reader) WantedBuild(ctx context.Context, push, rule string) (*Wanted, error) {
	list, err := r.wanted(ctx, wantedColumns+`WHERE p.event = $1`, push)
	for k := range list {
		if list[k].Rule.Name == rule {
			return &list[k], nil
		}
	}
	if err == nil {
		err = ErrNotFound
	}
	return nil, err
}

func (r Reader) wanted(ctx context.Context, query string, args ...any) (all []Wanted, err error) {
	lists, err := projections.ListOf(ctx, r.DB, func(row projections.Row) (list []Wanted, err error) {
		var w Wanted
		var namespace, repository, source []byte
		var verdictText, fileText, pullText, ruleText string
		if err := row.Scan(&namespace, &repository, &source, &w.Ref, &w.Kind, &w.Commit, &w.Push, &w.Correlation, &verdictText, &fileText, &pullText, &ruleText); err != nil {
			return nil, err
		}
		w.Namespace, w.Repository, w.Source = projections.IDOf(namespace), projections.IDOf(repository), projections.IDOf(source)
		var verdicts []events.RuleVerdict
		var rules []events.BuildRule
		if err := errors.Join(json.Unmarshal([]byte(verdictText), &verdicts), json.Unmarshal([]byte(ruleText), &rules)); err != nil {
			return nil, err
		}
		if w.Pull, err = optionalOf[events.PullRequest](pullText); err != nil {
			return nil, err
		}
		if w.Pull != nil {
			w.Kind = events.RefBranch // that it goes to
		}
		if file, err := optionalOf[events.RulesFile](fileText); err != nil {
			return nil, err
		} else if file != nil {
			rules, w.FromFile = file.Rules, true
		}
		for _, v := range verdicts {
			for _, rule := range rules {
				if v.Outcome != events.OutcomeSkip && rule.Name == v.Rule {
					w.Rule, w.Tags, w.Test, w.Untrusted = rule, v.Tags, v.Outcome == events.OutcomeTest, v.Untrusted
					list = append(list, w)
				}
			}
		}
		return list, nil
	}, query, args...)
	for _, list := range lists {
		all = append(all, list...)
	}
	return all, err
}

// CountWaiting is how many builds of a namespace wait.
func (r Reader) CountWaiting(ctx context.Context, namespace string) (n int, err error) {
	raw, err := key(namespace)
	if err != nil {
		return 0, err
	}
	err = r.DB.QueryRowContext(ctx, `SELECT COUNT(*) FROM states s JOIN queued q ON q.build = s.build WHERE s.state = $1 AND q.namespace = $2`, Waiting, raw).Scan(&n)
	return n, err
}
