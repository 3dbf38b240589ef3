package deployer

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/projections/images"
	"hubledger/services/internal/application"
	"hubledger/services/internal/command"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/process"
)

// settled is how long a tag has to have been where it is: several pushes one after the other
// are one deployment.
const settled = 5 * time.Second

// pushing is the process manager that deploys what was pushed, where the policy of an
// environment says so. What counts is where tags are, not how they came there: a tag that the
// Compose file names was set after the policy and after the latest deployment was asked for,
// and the latest release has another image. So nothing is deployed twice, and what somebody
// went back from is not brought again.
func (s *Deployer) pushing() process.Manager {
	return process.Manager{
		Name:    "deploys-on-push",
		Source:  source,
		Wakes:   []string{"deployment.finished.v1"}, // a push is not settled when it comes
		Every:   5 * time.Second,
		Backoff: process.Backoff{First: time.Second, Max: time.Minute, Attempts: process.Unlimited},
		View:    s.View,
		Due: func(ctx context.Context, now time.Time) (tasks []process.Task, err error) {
			policies, err := s.Read.Policies(ctx)
			if err != nil {
				return nil, err
			}
			for environment, p := range policies {
				if len(p.Value.OnPush) == 0 {
					continue
				}
				w, err := s.pushed(ctx, environment, p, now)
				if err != nil {
					return nil, fmt.Errorf("what was pushed for the environment %s: %w", environment, err)
				}
				if w != nil {
					tasks = append(tasks, process.Task{Key: environment, Cause: w.by.Cause, Correlation: w.by.Correlation})
				}
			}
			return tasks, nil
		},
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			p, err := s.Read.Policy(ctx, t.Key)
			if err != nil {
				return nil, err
			}
			w, err := s.pushed(ctx, t.Key, p, time.Now())
			if err != nil || w == nil {
				return nil, err
			}
			return nil, s.deployPushed(ctx, w, p.Value)
		},
	}
}

// A wanted is what is to be deployed because it was pushed.
type wanted struct {
	place   *deploys.Place
	release *deploys.Release // the latest one
	images  []events.ReleaseImage
	by      command.By
	who     string // has set the latest tag
}

// pushed is what is to be deployed to an environment now, nil for nothing.
func (s *Deployer) pushed(ctx context.Context, environment string, p deploys.Setting[events.DeployPolicy], now time.Time) (*wanted, error) {
	place, err := s.Read.Place(ctx, environment)
	if err != nil || place.Ended > 0 {
		return nil, err
	}
	state, err := s.state(ctx, environment)
	if err != nil || !state.Step.Final() {
		return nil, err
	}
	a, err := s.Read.Application(ctx, place.Name)
	if errors.Is(err, deploys.ErrNotFound) || err == nil && (a.ID != place.Application || a.Latest == 0) {
		return nil, nil // somebody makes the first release
	}
	if err != nil {
		return nil, err
	}
	w := &wanted{place: place}
	if w.release, err = s.Read.Release(ctx, a.ID, a.Latest); err != nil || w.release.Digest != a.Digest {
		return nil, err // the Compose file has changed: somebody makes a release of it
	}
	since := p.Seq
	if list, err := s.Read.Since(ctx, environment); err != nil {
		return nil, err
	} else if len(list) > 0 {
		if _, ok := list[0].Payload.(events.DeploymentRequested); ok {
			since = max(since, list[0].Seq)
		}
	}
	w.images = slices.Clone(w.release.Images)
	var latest uint64
	for k, i := range w.images {
		if !i.Held || !onPush(p.Value, i) {
			continue
		}
		digest, e, err := s.Tags.Tagged(ctx, i.Name, i.Tag)
		if errors.Is(err, images.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if e == nil || e.Seq <= since || now.Sub(e.Time()) < settled {
			continue
		}
		w.images[k].Digest = digest.String()
		if e.Seq > latest {
			latest, w.who = e.Seq, e.Actor()
			w.by = command.By{Source: source, Actor: "system", Cause: e.ID(), Correlation: e.Correlation()}
		}
	}
	if latest == 0 || state.Request.Release == a.Latest && slices.Equal(w.images, w.release.Images) {
		return nil, nil
	}
	return w, nil
}

// onPush says whether an image is one whose push deploys; one that the Compose file has by
// digest does not move.
func onPush(p events.DeployPolicy, i events.ReleaseImage) bool {
	return !strings.Contains(i.Image, "@") && slices.ContainsFunc(p.OnPush, func(d events.DeployOnPush) bool {
		matched, _ := path.Match(d.Tag, i.Tag) // the pattern was checked
		return d.Repository == i.Name && matched
	})
}

// deployPushed makes a release of what was pushed, unless that was made, and asks for its
// deployment.
func (s *Deployer) deployPushed(ctx context.Context, w *wanted, policy events.DeployPolicy) error {
	id := application.ID{Namespace: w.place.Namespace, Application: w.place.Application}
	number := w.release.Number
	if !slices.Equal(w.images, w.release.Images) {
		pins := application.Pins{Digest: w.release.Digest, Images: w.images, Note: "pushed"}
		list, err := s.Read.Environments(ctx, w.place.Application)
		if err != nil {
			return err
		}
		for _, e := range list {
			pins.Configurations = append(pins.Configurations, events.ReleaseConfiguration{Environment: e.ID, Called: e.Name, Version: e.Configuration.Version})
		}
		number++
		seq, err := application.Release(ctx, s.Log, w.by, id, w.place.Name, number, pins)
		if err == nil {
			err = s.View.Wait(ctx, seq)
		}
		if err != nil {
			return err
		}
	}
	e := application.Environment{ID: id, Name: w.place.Name, Environment: w.place.Environment, Called: w.place.Called}
	_, seq, reasons, err := s.ask(ctx, w.by, e, deployment.Wish{Kind: events.DeployForward, Release: number, Policy: policy, Requester: w.who, Note: "pushed"})
	switch {
	case errors.Is(err, deployment.ErrBusy):
		return nil // it is due again when that one has ended
	case err != nil:
		return err
	case len(reasons) > 0:
		return &process.Later{At: time.Now().Add(time.Minute), Err: errors.New("what was pushed cannot be deployed now: " + strings.Join(reasons, "; "))}
	}
	return s.View.Wait(ctx, seq)
}
