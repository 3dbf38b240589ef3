package builder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/projections/images"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/sbom"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/process"
	"hubledger/services/internal/repository"
)

// publishing is the process manager that puts the provenance of an image that was built
// beside it, then sets its tags, and so ends its build. A tag is set only while no newer
// commit of its ref has it: a build of an older one that ends late takes nothing from a
// newer one. A newer commit that the path filter of the rule skips does not have it.
// Neither does it take a tag from another ref that moved later. A build of an uploaded
// directory takes no tag from a build that was queued later, nor such a one from it.
func (s *Builder) publishing() process.Manager {
	return process.Manager{
		Name:     "build-tags",
		Source:   source,
		Wakes:    []string{"build.pushed.v1"},
		Parallel: 4,
		View:     s.View,
		Due: func(ctx context.Context, _ time.Time) ([]process.Task, error) {
			pushed, err := s.Read.InState(ctx, builds.Pushed)
			return tasksOf(pushed), err
		},
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			b, err := s.Read.Build(ctx, t.Key)
			if err != nil {
				return nil, err
			}
			if b.State != builds.Pushed {
				return nil, nil // somebody cancelled it
			}
			end, err := s.publish(ctx, b)
			if err != nil {
				return nil, err
			}
			return &process.Completion{Event: *end}, nil
		},
	}
}

// publish sets the tags of a build and says how it ends.
func (s *Builder) publish(ctx context.Context, b *builds.Build) (*events.BuildFinished, error) {
	end := &events.BuildFinished{Namespace: b.Namespace, Build: b.ID, Repository: b.Repository, Epoch: b.Epoch, Outcome: events.BuildSucceeded, Digest: b.End.Digest}
	name, err := s.nameOf(ctx, b)
	if err != nil {
		return nil, err
	}
	if b.Rule.SBOM {
		why, err := sbom.Missing(digest.Digest(b.End.Digest), func(d digest.Digest) ([]byte, error) { return s.Images.ManifestBytes(ctx, name, d) })
		if err != nil && !errors.Is(err, images.ErrNotFound) {
			return nil, err
		}
		if why != "" {
			end.Outcome, end.Reason, end.Detail = events.BuildFailed, string(driver.NoSBOM), "the rule wants an SBOM of the image, and "+why
			return end, nil
		}
	}
	by := command.By{Source: source, Actor: "system", Cause: b.Event, Correlation: b.Correlation}
	// Before the tags: none of them names an image whose origin nobody can verify.
	if end.Provenance, err = s.attest(ctx, by, b, name); err != nil {
		return nil, err
	}
	newer, err := s.newer(ctx, b)
	if err != nil {
		return nil, err
	}
	if newer != "" {
		end.Outcome, end.Detail = events.BuildSuperseded, fmt.Sprintf("%s is at the newer commit %.12s", b.Ref, newer)
		for _, tag := range b.Tags {
			end.Refused = append(end.Refused, events.BuildTag{Tag: tag, Why: end.Detail})
		}
		return end, nil
	}
	if len(b.Tags) > 0 {
		if end.Detail, err = s.denied(ctx, b, name); err != nil {
			return nil, err
		}
	}
	if end.Detail != "" {
		end.Outcome, end.Reason = events.BuildFailed, "denied"
		for _, tag := range b.Tags {
			end.Refused = append(end.Refused, events.BuildTag{Tag: tag, Why: end.Detail})
		}
		return end, nil
	}
	later, err := s.setTags(ctx, by, b, name, end)
	if err != nil {
		return nil, err
	}
	// What the hub makes again by itself has no README that was not set before.
	if len(end.Tags) > 0 && later == 0 && b.Rebuild == nil && b.Rule.Readme != "" {
		if err := s.setReadme(ctx, by, b, name); err != nil {
			return nil, err
		}
	}
	switch {
	case len(end.Tags) > 0 || len(b.Tags) == 0:
	case later == len(b.Tags):
		end.Outcome, end.Detail = events.BuildSuperseded, "no tag is left for it: "+end.Refused[0].Why
	default:
		end.Outcome, end.Reason, end.Detail = events.BuildFailed, "tags-refused", "no tag could be set: "+end.Refused[0].Why
	}
	return end, nil
}

// denied says why a build may not set tags: whoever it acts for may have lost the right since
// the push. It is "" when it may.
func (s *Builder) denied(ctx context.Context, b *builds.Build, name string) (string, error) {
	var may bool
	account, token, err := s.accountOf(ctx, b)
	if err == nil {
		may, err = s.MayPush(ctx, account, token, name)
	}
	switch {
	case errors.Is(err, ErrNoAccount) || errors.Is(err, access.ErrAccount) || errors.Is(err, access.ErrCredential):
		return "it may not push any more: " + err.Error(), nil
	case err == nil && !may:
		return "the account by whose rights it was built may not push to " + name + " any more", nil
	}
	return "", err
}

// setTags sets the tags of a build, and says in end which; later is how many it left to
// what came later.
func (s *Builder) setTags(ctx context.Context, by command.By, b *builds.Build, name string, end *events.BuildFinished) (later int, err error) {
	// Two builds that end at once would both find the tag of neither.
	s.tagging.Lock()
	defer s.tagging.Unlock()
	for _, tag := range b.Tags {
		why, err := s.later(ctx, b, name, tag)
		if err != nil {
			return later, err
		}
		if why != "" {
			later++
			end.Refused = append(end.Refused, events.BuildTag{Tag: tag, Why: why})
			continue
		}
		err = s.Images.Tag(ctx, by, name, tag, digest.Digest(b.End.Digest))
		var immutable *image.ImmutableError
		switch {
		case err == nil:
			end.Tags = append(end.Tags, tag)
		case errors.As(err, &immutable), errors.Is(err, images.ErrNotFound):
			end.Refused = append(end.Refused, events.BuildTag{Tag: tag, Why: err.Error()})
		default:
			return later, err
		}
	}
	return later, nil
}

// later says what has a tag instead of a build, "" for nothing: another ref that moved
// later than that of the build, or, where one of the two has no ref but an uploaded
// directory, a build that was queued later.
func (s *Builder) later(ctx context.Context, b *builds.Build, name, tag string) (string, error) {
	now, _, err := s.Images.Tagged(ctx, name, tag)
	if errors.Is(err, images.ErrNotFound) || err == nil && now.String() == b.End.Digest {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	ref, err := s.Read.LaterRef(ctx, b, tag, now.String())
	if err != nil {
		return "", err
	}
	if ref != "" {
		return ref + " moved later and has it", nil
	}
	build, err := s.Read.LaterUpload(ctx, b, tag, now.String())
	if err != nil || build == "" {
		return "", err
	}
	return "the build " + apitypes.ShortID(build) + " was queued later and has it", nil
}

// setReadme makes the README that a build found that of its repository.
func (s *Builder) setReadme(ctx context.Context, by command.By, b *builds.Build, name string) error {
	last, _, err := command.Latest(ctx, s.Events, events.BuildSubject(b.Namespace, b.ID))
	if err != nil {
		return err
	}
	pushed, ok := last.(events.BuildPushed)
	if !ok || pushed.Readme == "" { // it has ended meanwhile, or there is none
		return nil
	}
	err = s.Readmes.SetReadme(ctx, by, repository.ID{Namespace: b.Namespace, Repository: b.Repository}, name, pushed.Readme)
	if errors.Is(err, repository.ErrUnknown) {
		return nil // it was deleted meanwhile
	}
	return err
}

// newer is the commit that has the tags of a build instead, "" for none.
func (s *Builder) newer(ctx context.Context, b *builds.Build) (commit string, err error) {
	if b.Upload != nil {
		return "", nil
	}
	ref, err := s.Read.Ref(ctx, b.Source, b.Ref)
	if errors.Is(err, builds.ErrNotFound) {
		return "", nil
	}
	if err != nil || ref.Commit == "" || ref.Commit == b.Commit {
		return "", err
	}
	if len(b.Rule.Paths) == 0 {
		return ref.Commit, nil
	}
	if later, err := s.Read.NewerCommit(ctx, b); err != nil || later != "" {
		return later, err
	}
	p, err := s.Read.PushOf(ctx, b.Repository, b.Source, b.Ref)
	if err != nil && !errors.Is(err, builds.ErrNotFound) {
		return "", err
	}
	if p == nil || p.Move != ref.Event {
		return "", fmt.Errorf("it is not known yet whether the rule %s builds the newer commit %.12s of %s", b.Rule.Name, ref.Commit, b.Ref)
	}
	for _, v := range p.Verdicts {
		if v.Rule == b.Rule.Name && v.Reason == buildrule.PathsDiffer {
			return "", nil
		}
	}
	return ref.Commit, nil
}
