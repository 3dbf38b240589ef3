package cleanup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
)

// View is the progress of the images read model.
type View interface {
	Wait(ctx context.Context, seq uint64) error
	Position() uint64
	HasParked() bool
}

// Pulls knows what was pulled from a repository, up to now.
type Pulls interface {
	Pulls(ctx context.Context, repo string) (catalog.Pulls, error)
}

// Config is what a Cleaner works with; all fields but Now are required.
type Config struct {
	Log    command.Log
	View   View
	Read   images.Reader
	Pulls  Pulls
	Logger *slog.Logger
	// UndeleteWindow and LeaseTerm are the registry's: so long after a deletion
	// its blobs are collected.
	UndeleteWindow time.Duration
	LeaseTerm      time.Duration
	Now            func() time.Time // nil: time.Now
}

// A Cleaner applies cleanup rules.
type Cleaner struct{ Config }

// New makes a Cleaner.
func New(c Config) *Cleaner {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Cleaner{c}
}

// ErrParked: the read model has parked events and so may not know of a later
// push, which a cleanup could delete.
var ErrParked = errors.New("the images projection has parked events: nothing is cleaned up until a new projection version has applied them")

// state reads the content that a rule is applied to. It is that of sequence as, or
// later.
func (c *Cleaner) state(ctx context.Context, repo images.Repository) (s State, as uint64, err error) {
	if c.View.HasParked() {
		return s, 0, ErrParked
	}
	as = c.View.Position()
	if s.Content, err = c.Read.Content(ctx, repo.ID); err != nil {
		return s, as, fmt.Errorf("read what is in %s: %w", repo.Name, err)
	}
	if s.Pinned, err = c.Read.Pinned(ctx, repo.ID); err != nil {
		return s, as, fmt.Errorf("read which releases need images of %s: %w", repo.Name, err)
	}
	pulls, err := c.Pulls.Pulls(ctx, repo.ID)
	if err != nil {
		return s, as, fmt.Errorf("read when %s was pulled: %w", repo.Name, err)
	}
	s.Pulled, s.Used = map[string]time.Time{}, pulls.Manifests
	for tag, n := range pulls.Tags {
		s.Pulled[tag] = n.LastPulled
	}
	s.Immutable = repository.Immutable(repo.Policy)
	return s, as, nil
}

// Done says what a run has deleted.
type Done struct {
	Tags      int `json:"tags"`
	Manifests int `json:"manifests"`
}

// Run applies the repository's rule now, for whoever asks for it. What is pushed
// or tagged meanwhile stays. It ends when the policy is changed meanwhile. When a
// run is cut off, the next one goes on.
func (c *Cleaner) Run(ctx context.Context, by command.By, repo images.Repository) (done Done, err error) {
	there, err := c.renew(ctx, &repo)
	if err != nil || !there || repo.Policy.Cleanup == nil {
		return done, err
	}
	s, as, err := c.state(ctx, repo)
	if err != nil {
		return done, err
	}
	var last uint64
	plan, err := Plan(ctx, *repo.Policy.Cleanup, s, c.Now())
	if err != nil {
		return done, err
	}
	for _, d := range plan {
		now := repo
		if there, err := c.renew(ctx, &now); err != nil || !there || !reflect.DeepEqual(now.Policy, repo.Policy) {
			return done, errors.Join(err, c.View.Wait(ctx, last))
		}
		var seq uint64
		if d.Tag == "" {
			if seq, err = c.manifest(ctx, by, repo, d.Digest, as); seq > 0 {
				done.Manifests++
			}
		} else if seq, err = image.DeleteTagAt(ctx, c.Log, by, c.Read, idOf(repo), repo.Policy, d.Tag, d.Digest, d.At); err == nil {
			done.Tags++
		} else if errors.Is(err, events.ErrConflict) || errors.Is(err, image.ErrImmutable) || errors.Is(err, image.ErrHeld) {
			err = nil // somebody has moved or deleted it, or needs it since the plan was made
		}
		if err != nil {
			return done, fmt.Errorf("clean up %s: %w", repo.Name, err)
		}
		last = max(last, seq)
	}
	return done, c.View.Wait(ctx, last)
}

// renew reads a repository again, whose policy somebody may have changed since: it
// may protect now what was to go. False when it is not there any more.
func (c *Cleaner) renew(ctx context.Context, repo *images.Repository) (there bool, err error) {
	now, err := c.Read.Repository(ctx, repo.Name)
	if errors.Is(err, images.ErrNotFound) || err == nil && now.ID != repo.ID {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	*repo = *now
	return true, nil
}

// manifest deletes a manifest, unless it was pushed since the plan was made. A
// push may also come between that check and the deletion. Then the deletion is
// undone at once, so that nothing that was answered 201 is lost.
func (c *Cleaner) manifest(ctx context.Context, by command.By, repo images.Repository, d digest.Digest, as uint64) (uint64, error) {
	if pushed, err := c.Read.LastPush(ctx, repo.ID, d); err != nil || pushed > as {
		return 0, err
	}
	seq, err := image.DeleteManifest(ctx, c.Log, by, c.Read, idOf(repo), repo.Policy, d)
	if errors.Is(err, image.ErrImmutable) || errors.Is(err, image.ErrHeld) {
		return 0, nil // needed by a tag or a release that came since the plan was made
	}
	if err != nil {
		return 0, err
	}
	ctx = context.WithoutCancel(ctx) // what is begun is brought to its end
	if err := c.View.Wait(ctx, seq); err != nil {
		return seq, err
	}
	pushed, err := c.Read.LastPush(ctx, repo.ID, d)
	if err != nil || pushed <= as || pushed > seq {
		return seq, err
	}
	c.Logger.Info("a manifest was pushed while cleanup deleted it, and is restored", "repository", repo.Name, "digest", d)
	_, err = image.RestoreManifest(ctx, c.Log, by, idOf(repo), d, seq)
	return 0, err
}

// by signs the deletions of a run that comes by itself. Their cause is the event that set the rule, if that is
// the repository's latest event.
func (c *Cleaner) by(ctx context.Context, repo images.Repository) (command.By, error) {
	by := command.By{Source: "/cleanup", Actor: "system"}
	e, err := c.Log.Last(ctx, events.RepositorySubject(repo.Namespace, repo.Name))
	if err != nil || e == nil || e.Type() != (events.RepositoryPolicyChanged{}).EventType() {
		return by, err
	}
	by.Cause, by.Correlation = e.ID(), e.Correlation()
	if by.Correlation == "" {
		by.Correlation = e.ID()
	}
	return by, nil
}

// page is how many repositories RunAll reads at a time.
const page = 100

// RunAll applies the rule of every repository that has one. When one fails, the
// others go on.
func (c *Cleaner) RunAll(ctx context.Context) error {
	var errs []error
	for last := ""; ; {
		list, err := c.Read.WithPolicy(ctx, last, page)
		if err != nil || len(list) == 0 {
			return errors.Join(append(errs, err)...)
		}
		for _, repo := range list {
			by, err := c.by(ctx, repo)
			var done Done
			if err == nil {
				done, err = c.Run(ctx, by, repo)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				errs = append(errs, err)
			}
			if done != (Done{}) {
				c.Logger.Info("cleaned up", "repository", repo.Name, "tags", done.Tags, "manifests", done.Manifests)
			}
		}
		last = list[len(list)-1].Name
	}
}

func idOf(repo images.Repository) repository.ID {
	return repository.ID{Namespace: repo.Namespace, Repository: repo.ID}
}
