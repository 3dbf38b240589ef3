package builds

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// States of a build.
const (
	Waiting = "waiting"
	Running = "running"
	Pushed  = "pushed" // its image is there, its tags are not yet set
	Ended   = "ended"
)

// A Build is one attempt to make an image of a commit by a rule, or of an uploaded
// directory: that has no source, ref, kind and commit, and a rule without a name.
type Build struct {
	ID, Namespace, Repository, Source string // ids
	Ref, Kind, Commit                 string
	Rule                              events.BuildRule
	Tags                              []string // that the image is to get; none for a test
	Test, Untrusted                   bool
	Pull                              *events.PullRequest  // nil for a branch or tag
	FromFile                          bool                 // the rule comes from .hubledger.yml of the commit
	RetryOf                           string               // id of the build that this one makes again
	Rebuild                           *events.BuildRebuild // why the hub itself makes it again; nil: it does not
	Upload                            *events.BuildUpload  // the directory that is built; nil: a commit is
	Hooks                             bool                 // it has hooks or autotests, as far as is known
	Cause                             string               // id of the event that led to it
	Correlation                       string               // id of the first event of that chain
	Event                             string               // id of the event that queued it
	Actor                             string
	Queued                            time.Time
	Seq                               uint64 // of the event that queued it

	State   string
	Epoch   int                  // of the latest claim, 0 for none
	Losses  int                  // how often it was lost with its builder
	Builder string               // that has it, or had it last
	Claimed time.Time            // when; zero for never
	Scanner string               // image that makes the SBOM, by its digest; "" when none is made
	Changed time.Time            // when it came to this state
	End     events.BuildFinished // Outcome to Refused, as far as they are known
}

const buildColumns = `SELECT q.build, q.namespace, q.repository, q.source, q.ref, q.kind, q.commit_id, q.settings, q.tags, q.test, q.untrusted, q.from_file, q.pull, q.retry_of, q.rebuild, q.upload, CASE WHEN q.hooks = 1 OR h.build IS NOT NULL THEN 1 ELSE 0 END, q.cause, q.correlation, q.event,
	q.actor, q.time, q.seq, s.state, s.epoch, COALESCE(c.builder, ''), COALESCE(c.scanner, ''), COALESCE(c.time, 0), COALESCE(l.times, 0), s.time, s.digest, s.outcome, s.reason, s.detail, s.tags, s.refused, s.provenance
	FROM queued q JOIN states s ON s.build = q.build LEFT JOIN claims c ON c.build = s.build AND c.epoch = s.epoch
	LEFT JOIN losses l ON l.build = s.build LEFT JOIN hooked h ON h.build = s.build `

func scanBuild(row projections.Row) (Build, error) {
	var b Build
	var id, namespace, repository, source []byte
	var rule, tags, set, refused, rebuild, upload, pull string
	var queued, claimed, changed int64
	err := row.Scan(&id, &namespace, &repository, &source, &b.Ref, &b.Kind, &b.Commit, &rule, &tags, &b.Test, &b.Untrusted, &b.FromFile, &pull, &b.RetryOf, &rebuild, &upload, &b.Hooks, &b.Cause, &b.Correlation, &b.Event,
		&b.Actor, &queued, &b.Seq, &b.State, &b.Epoch, &b.Builder, &b.Scanner, &claimed, &b.Losses, &changed, &b.End.Digest, &b.End.Outcome, &b.End.Reason, &b.End.Detail, &set, &refused, &b.End.Provenance)
	if err != nil {
		return b, err
	}
	b.ID, b.Namespace, b.Repository, b.Source = projections.IDOf(id), projections.IDOf(namespace), projections.IDOf(repository), projections.IDOf(source)
	b.Queued, b.Changed = timeOf(queued), timeOf(changed)
	if claimed != 0 {
		b.Claimed = timeOf(claimed)
	}
	if b.Rebuild, err = optionalOf[events.BuildRebuild](rebuild); err != nil {
		return b, err
	}
	if b.Pull, err = optionalOf[events.PullRequest](pull); err != nil {
		return b, err
	}
	if b.Upload, err = optionalOf[events.BuildUpload](upload); err != nil {
		return b, err
	}
	return b, errors.Join(json.Unmarshal([]byte(rule), &b.Rule), json.Unmarshal([]byte(tags), &b.Tags), json.Unmarshal([]byte(set), &b.End.Tags),
		json.Unmarshal([]byte(refused), &b.End.Refused))
}

// Build is one build; ErrNotFound.
func (r Reader) Build(ctx context.Context, id string) (*Build, error) {
	raw, err := key(id)
	if err != nil {
		return nil, err
	}
	b, err := scanBuild(r.DB.QueryRowContext(ctx, buildColumns+`WHERE q.build = $1`, raw))
	return one(&b, err)
}

// ByEvent is the build that an event queued, by the event's id; ErrNotFound.
func (r Reader) ByEvent(ctx context.Context, event string) (*Build, error) {
	b, err := scanBuild(r.DB.QueryRowContext(ctx, buildColumns+`WHERE q.event = $1`, event))
	return one(&b, err)
}

// Builds lists at most n builds of a repository, the latest first, from before a
// sequence on; 0 is the beginning.
func (r Reader) Builds(ctx context.Context, repository string, before uint64, n int) ([]Build, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	if before == 0 {
		before = 1<<63 - 1
	}
	return projections.ListOf(ctx, r.DB, scanBuild, buildColumns+`WHERE q.repository = $1 AND q.seq < $2 ORDER BY q.seq DESC LIMIT $3`, raw, int64(before), n)
}

// InState lists the builds in a state, those first that came to it first.
func (r Reader) InState(ctx context.Context, state string) ([]Build, error) {
	return projections.ListOf(ctx, r.DB, scanBuild, buildColumns+`WHERE s.state = $1 ORDER BY s.seq`, state)
}

// OfCause is the build that an event led to by a rule; ErrNotFound.
func (r Reader) OfCause(ctx context.Context, event, rule string) (*Build, error) {
	b, err := scanBuild(r.DB.QueryRowContext(ctx, buildColumns+`WHERE q.cause = $1 AND q.rule = $2 AND q.retry_of = ''`, event, projections.Stored(rule)))
	return one(&b, err)
}

// NewerCommit is a commit of the same ref that the same rule came to build after it
// first came to build that of b, "" for none.
func (r Reader) NewerCommit(ctx context.Context, b *Build) (commit string, err error) {
	repository, err := key(b.Repository)
	if err != nil {
		return "", err
	}
	source, err := key(b.Source)
	if err != nil {
		return "", err
	}
	const line = `q.repository = $1 AND q.source = $2 AND q.ref = $3 AND q.rule = $4 AND q.retry_of = '' `
	err = r.DB.QueryRowContext(ctx, `SELECT q.commit_id FROM queued q WHERE `+line+`AND q.commit_id <> $5
		AND q.seq > (SELECT MIN(q.seq) FROM queued q WHERE `+line+`AND q.commit_id = $5) ORDER BY q.seq DESC LIMIT 1`,
		repository, source, projections.Stored(b.Ref), projections.Stored(b.Rule.Name), b.Commit).Scan(&commit)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return commit, err
}

// A Step of a build that has ended.
type Step struct {
	Epoch, Number  int
	Kind, Name     string
	Began          time.Time // by the builder's clock
	Took           time.Duration
	Cached, Failed bool
}

// Steps are those of a build, in their order.
func (r Reader) Steps(ctx context.Context, build string) ([]Step, error) {
	raw, err := key(build)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (s Step, err error) {
		var began, took int64
		err = row.Scan(&s.Epoch, &s.Number, &s.Kind, &s.Name, &began, &took, &s.Cached, &s.Failed)
		s.Began, s.Took = timeOf(began), time.Duration(took)*time.Millisecond
		return s, err
	}, `SELECT p.epoch, p.step, p.kind, p.name, p.began, p.took, p.cached, p.failed FROM steps p WHERE p.build = $1 ORDER BY p.epoch, p.step`, raw)
}

// CountInState is how many builds are in a state.
func (r Reader) CountInState(ctx context.Context, state string) (n int, err error) {
	err = r.DB.QueryRowContext(ctx, `SELECT COUNT(*) FROM states s WHERE s.state = $1`, state).Scan(&n)
	return n, err
}

// RepositoryLives says whether a repository, by its id, was not deleted.
func (r Reader) RepositoryLives(ctx context.Context, id string) (live bool, err error) {
	raw, err := key(id)
	if err != nil {
		return false, err
	}
	err = r.DB.QueryRowContext(ctx, `SELECT COALESCE((SELECT g.live FROM repositories g WHERE g.repository = $1), 1)`, raw).Scan(&live)
	return live, err
}
