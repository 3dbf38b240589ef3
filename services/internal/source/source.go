// Package source holds what may be decided about git sources: how they are linked,
// changed and unlinked, and where their branches and tags point to.
package source

import (
	"context"
	"errors"
	"fmt"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// MaxSources bounds the sources of a namespace: each is swept all the time.
const MaxSources = 200

var (
	// ErrTaken: the namespace has a source of that name.
	ErrTaken = errors.New("there is a git source of that name")
	// ErrTooMany: the namespace has as many sources as it may.
	ErrTooMany = fmt.Errorf("a namespace has at most %d git sources", MaxSources)
	// ErrUnknown: no source of that name or id is linked.
	ErrUnknown = errors.New("no git source of that name")
	// ErrSettings: a setting is not allowed; the error's text says why.
	ErrSettings = errors.New("invalid setting")
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSettings, fmt.Sprintf(format, args...))
}

// An ID is what the subjects of a source's events are made of.
type ID struct{ Namespace, Source string }

// CheckName says whether a source can have that full name, which has the form of a
// repository's in a namespace. repository.ErrName.
func CheckName(name string) error {
	n, err := repository.ParseName(name)
	if err == nil && n.Namespace == access.Library {
		err = fmt.Errorf("%w: a git source belongs to a user or an organization, and is called NAMESPACE/NAME", repository.ErrName)
	}
	return err
}

// Link makes a source with an id that was minted for it before, since its secrets are
// kept by that id. ErrTaken, ErrSettings, repository.ErrName.
func Link(ctx context.Context, log command.Log, by command.By, id ID, name string, s events.SourceSettings) (uint64, error) {
	if err := errors.Join(CheckName(name), Check(s)); err != nil {
		return 0, err
	}
	return command.Decide(ctx, log, by, events.SourceSubject(id.Namespace, name), func(last events.Payload, _ uint64) (events.Payload, error) {
		switch live, _ := settingsOf(last); live {
		case "":
			return events.SourceLinked{Namespace: id.Namespace, Source: id.Source, Name: name, Settings: s}, nil
		case id.Source:
			return nil, nil // an attempt before was recorded
		}
		return nil, fmt.Errorf("%s: %w", name, ErrTaken)
	})
}

// settingsOf tells from the latest event of a name which source lives, "" when none
// does, and its settings.
func settingsOf(last events.Payload) (id string, s events.SourceSettings) {
	switch p := last.(type) {
	case events.SourceLinked:
		return p.Source, p.Settings
	case events.SourceChanged:
		return p.Source, p.Settings
	}
	return "", s
}

// Set changes the settings of a source. edit gets those of now, and must have no other
// effects. When nothing differs nothing is appended. ErrUnknown, ErrSettings, and the
// errors of edit.
func Set(ctx context.Context, log command.Log, by command.By, id ID, name string, seen *uint64,
	edit func(events.SourceSettings) (events.SourceSettings, error)) (uint64, error) {
	return command.DecideSeen(ctx, log, by, events.SourceSubject(id.Namespace, name), seen, func(last events.Payload, _ uint64) (events.Payload, error) {
		live, before := settingsOf(last)
		if live != id.Source {
			return nil, fmt.Errorf("%s: %w", name, ErrUnknown)
		}
		after, err := edit(before)
		if err == nil {
			err = Check(after)
		}
		if err != nil {
			return nil, err
		}
		changed := differing(before, after)
		if len(changed) == 0 {
			return nil, nil
		}
		return events.SourceChanged{Namespace: id.Namespace, Source: id.Source, Name: name, Settings: after, Changed: changed}, nil
	})
}

func differing(a, b events.SourceSettings) (changed []string) {
	for _, c := range []struct {
		name    string
		differs bool
	}{
		{events.ChangedURL, a.URL != b.URL},
		{events.ChangedHost, a.Host != b.Host},
		{events.ChangedCredentials, a.Credentials != b.Credentials || a.User != b.User || a.DeployKey != b.DeployKey || a.Secret != b.Secret},
		{events.ChangedHostKey, a.HostKey != b.HostKey},
		{events.ChangedHookSecret, a.HookSecret != b.HookSecret},
		{events.ChangedBuildExisting, a.BuildExisting != b.BuildExisting},
		{events.ChangedStatus, a.Status != b.Status},
		{events.ChangedStatusToken, a.StatusSecret != b.StatusSecret},
	} {
		if c.differs {
			changed = append(changed, c.name)
		}
	}
	return changed
}

// Unlink ends a source. ErrUnknown.
func Unlink(ctx context.Context, log command.Log, by command.By, id ID, name string) (uint64, error) {
	return command.Decide(ctx, log, by, events.SourceSubject(id.Namespace, name), func(last events.Payload, _ uint64) (events.Payload, error) {
		if live, _ := settingsOf(last); live != id.Source {
			return nil, fmt.Errorf("%s: %w", name, ErrUnknown)
		}
		return events.SourceUnlinked{Namespace: id.Namespace, Source: id.Source, Name: name}, nil
	})
}
