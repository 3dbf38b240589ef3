package builder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/projections/images"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/access"
	"hubledger/services/internal/build"
)

// assign says what a builder has to know of a build. A *driver.Failure is why it
// cannot be built at all.
func (s *Builder) assign(ctx context.Context, b *builds.Build) (*worker.Assignment, error) {
	if live, err := s.Read.RepositoryLives(ctx, b.Repository); err != nil || !live {
		return nil, cmp.Or(err, error(driver.Failuref(driver.Push, "the repository was deleted")))
	}
	name, err := s.nameOf(ctx, b)
	if err != nil {
		return nil, err
	}
	a := &worker.Assignment{Claim: worker.Claim{Build: b.ID, Epoch: b.Epoch}, Namespace: b.Namespace, Repository: name, Rule: b.Rule, Tags: b.Tags, Test: b.Test, Untrusted: b.Untrusted, Return: true}
	if b.Rule.SBOM && !b.Test {
		if a.Scanner, err = s.scanner(ctx); err != nil {
			return nil, err
		}
	}
	if b.Upload != nil { // its rule names neither secrets nor a README
		a.Upload = &worker.Upload{Digest: digest.Digest(b.Upload.Digest), Size: b.Upload.Size}
		return a, nil
	}
	if a.Secrets, err = s.secretsOf(ctx, b, name); err != nil {
		return nil, err
	}
	if a.Source, err = s.Source(ctx, b); err != nil {
		return nil, &driver.Failure{Kind: driver.Source, Text: err.Error(), Err: err}
	}
	if b.Rule.Readme != "" {
		now, err := s.Readmes.Readme(ctx, b.Repository)
		if err != nil {
			return nil, err
		}
		a.Readme = worker.SumOf(now)
	}
	return a, nil
}

// scanner is the image that makes SBOMs, by its digest now.
func (s *Builder) scanner(ctx context.Context) (string, error) {
	if s.Scanner == nil {
		return "", driver.Failuref(driver.NoSBOM, "this hub has no scanner that makes an SBOM of the image: its operator names one with serve --sbom-scanner")
	}
	now, err := *s.Scanner, error(nil)
	if now.Digest == "" {
		now.Digest, _, err = s.Images.Tagged(ctx, now.Repository, now.Tag)
	} else {
		_, err = s.Images.ManifestBytes(ctx, now.Repository, now.Digest)
	}
	if errors.Is(err, images.ErrNotFound) {
		err = driver.Failuref(driver.NoSBOM, "the scanner %s, which makes SBOMs, is not in this hub: push it there, and make its repository public", s.Scanner)
	}
	return now.String(), err
}

// attempts is the hub as a builder knows it: a worker.Hub and a worker.Queue.
type attempts struct {
	s       *Builder
	builder string // its name in the log
	machine string // its id; "" for the hub's own
}

// Next is of worker.Queue.
func (a attempts) Next(ctx context.Context) (*worker.Assignment, error) {
	return a.s.stations.next(ctx, a.builder), nil
}

// Renew is of worker.Queue.
func (a attempts) Renew(_ context.Context, o worker.Offer, have []worker.Claim) ([]worker.Claim, error) {
	return a.s.stations.renew(a.builder, a.connected, o, have), nil
}

// connected says whether the builder can be reached now.
func (a attempts) connected() bool { return a.machine == "" || a.s.Machines.Connected(a.machine) }

// held is the build of a claim, if the builder has it. Of builds that it never had it
// learns nothing.
func (a attempts) held(ctx context.Context, c worker.Claim) (*builds.Build, error) {
	b, err := a.s.Read.Build(ctx, c.Build)
	switch {
	case errors.Is(err, builds.ErrNotFound) || err == nil && (b.Builder != a.builder || b.Epoch != c.Epoch):
		return nil, build.ErrEpoch
	case err == nil && b.State == builds.Ended:
		return b, build.ErrEnded
	case err == nil && b.State != builds.Running:
		return b, build.ErrEpoch
	}
	return b, err
}

// Bounds of what a builder may say of one build, with what no builder of ours reaches.
const (
	maxSaid    = 2000      // events
	maxWritten = 128 << 20 // bytes of the log, with chunkOverhead of each chunk

	chunkOverhead = 64 // bytes that a chunk takes beside its data, about
)

// errTooMuch: a builder says more than it may.
var errTooMuch = fmt.Errorf("%w: it says too much of this build", build.ErrReport)

// Say is of worker.Hub.
func (a attempts) Say(ctx context.Context, c worker.Claim, p events.Payload) error {
	b, err := a.held(ctx, c)
	if err != nil {
		return err
	}
	if !a.s.stations.charge(a.builder, c, 1, 0) {
		return errTooMuch
	}
	if end, ok := p.(events.BuildFinished); ok && end.Outcome == events.BuildSucceeded && !b.Test {
		return fmt.Errorf("%w: only a test succeeds without an image", build.ErrReport)
	}
	if lost, ok := p.(events.BuildLost); ok && lost.Released {
		_, err = build.Release(ctx, a.s.Events, system(b), idOf(b), a.builder, c.Epoch, lost.Lacks)
	} else {
		_, err = build.Say(ctx, a.s.Events, system(b), idOf(b), c.Epoch, p)
	}
	if err == nil {
		a.s.counts.said(p)
	}
	return err
}

// Log is of worker.Hub. What a build has written is kept also when it was ended
// meanwhile.
func (a attempts) Log(ctx context.Context, c worker.Claim, step int, data []byte) error {
	b, err := a.held(ctx, c)
	if err != nil && (b == nil || time.Since(b.Changed) > lastWords) {
		return err
	}
	if !a.s.stations.charge(a.builder, c, 0, len(data)+chunkOverhead) {
		return errTooMuch
	}
	return a.s.Log.Append(ctx, c.Build, step, data)
}

// publicTerm is how long a repository is asked for without a token.
const publicTerm = 5 * time.Minute

// Token is of worker.Hub.
func (a attempts) Token(ctx context.Context, c worker.Claim, repository string, push bool) (string, time.Time, error) {
	b, err := a.held(ctx, c)
	if err != nil {
		return "", time.Time{}, err
	}
	name, err := a.s.nameOf(ctx, b)
	if err != nil {
		return "", time.Time{}, err
	}
	if push && (repository != name || b.Test) {
		return "", time.Time{}, fmt.Errorf("%w: it may not push to %s", worker.ErrDenied, repository)
	}
	// A push by that name would make another repository of it.
	if live, err := a.s.Read.RepositoryLives(ctx, b.Repository); err != nil || push && !live {
		return "", time.Time{}, cmp.Or(err, fmt.Errorf("%w: the repository was deleted", worker.ErrDenied))
	}
	// Whoever pushes to the git repository chooses what a build pulls, and gets it in
	// the image: nothing private of other namespaces, whatever the account may see there.
	if b.Untrusted || access.NamespaceOf(repository) != access.NamespaceOf(name) {
		return "", time.Now().Add(publicTerm), nil
	}
	account, token, err := a.s.accountOf(ctx, b)
	if err != nil {
		return "", time.Time{}, err
	}
	text, ends, err := a.s.Token(ctx, account, token, repository, push)
	if errors.Is(err, access.ErrAccount) || errors.Is(err, access.ErrCredential) {
		err = fmt.Errorf("%w: %w", worker.ErrDenied, err)
	}
	return text, ends, err
}

// accountOf is the account by whose rights a build pulls and pushes, and the access token
// that bounds them; "" for none.
func (s *Builder) accountOf(ctx context.Context, b *builds.Build) (account, token string, err error) {
	var rules *builds.Rules
	switch {
	case b.Upload == nil:
		if rules, err = s.Read.Rules(ctx, b.Repository); err != nil {
			return "", "", err
		}
	case b.Upload.Account != "":
		return b.Upload.Account, b.Upload.Token, nil
	default:
		rules = &builds.Rules{Namespace: b.Namespace, Actor: b.Actor}
	}
	account, err = s.Account(ctx, rules)
	return account, "", err
}

// nameOf is the full name of the repository that a build is for.
func (s *Builder) nameOf(ctx context.Context, b *builds.Build) (string, error) {
	if b.Upload != nil {
		return b.Upload.Name, nil
	}
	rules, err := s.Read.Rules(ctx, b.Repository)
	if err != nil {
		return "", err
	}
	return rules.Name, nil
}
