// Package application holds what may be decided about applications: how they, their
// environments and configurations are made, changed and ended, and their releases made.
package application

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
)

// Limits of a namespace and of an application.
const (
	MaxApplications = 200
	MaxEnvironments = 10
	MaxKeep         = 100
	DefaultKeep     = 5
	maxNote         = 1000 // bytes
)

var (
	// ErrUnknown: no application, environment, release or key of that name is there.
	ErrUnknown = errors.New("it does not exist")
	// ErrTaken: there is one of that name.
	ErrTaken = errors.New("there is one of that name")
	// ErrInvalid: a name or a value is not allowed; the error's text says why.
	ErrInvalid = errors.New("this cannot be used")
	// ErrTooMany: there are as many as there may be; the error's text says of what.
	ErrTooMany = errors.New("the limit is reached")
)

// An ID is what the subjects of an application's events are made of.
type ID struct{ Namespace, Application string }

var nameSyntax = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// CheckName says whether an application can have that full name. ErrInvalid.
func CheckName(full string) error {
	namespace, name, _ := strings.Cut(full, "/")
	switch {
	case namespace == access.Library || namespace == "":
		return fmt.Errorf("%w: an application belongs to a user or an organization, and is called NAMESPACE/NAME", ErrInvalid)
	case !nameSyntax.MatchString(name):
		return fmt.Errorf("%w: %.80q is no name of an application: write 1 to 40 lower-case letters, digits and -", ErrInvalid, name)
	}
	return nil
}

func checkSettings(s events.ApplicationSettings) error {
	if s.Keep < 1 || s.Keep > MaxKeep {
		return fmt.Errorf("%w: an application keeps the images of 1 to %d releases", ErrInvalid, MaxKeep)
	}
	return nil
}

// stateOf tells from the latest event of a name which application lives, "" when none
// does, and its settings.
func stateOf(last events.Payload) (id string, s events.ApplicationSettings) {
	switch p := last.(type) {
	case events.ApplicationCreated:
		return p.Application, p.Settings
	case events.ApplicationChanged:
		return p.Application, p.Settings
	}
	return "", s
}

// Create makes an application with an id that was minted for it before. ErrTaken,
// ErrInvalid.
func Create(ctx context.Context, log command.Log, by command.By, id ID, name string, s events.ApplicationSettings) (uint64, error) {
	if err := errors.Join(CheckName(name), checkSettings(s)); err != nil {
		return 0, err
	}
	return command.Decide(ctx, log, by, events.ApplicationSubject(id.Namespace, name), func(last events.Payload, _ uint64) (events.Payload, error) {
		switch live, _ := stateOf(last); live {
		case "":
			return events.ApplicationCreated{Namespace: id.Namespace, Application: id.Application, Name: name, Settings: s}, nil
		case id.Application:
			return nil, nil // an attempt before was recorded
		}
		return nil, fmt.Errorf("%s: %w", name, ErrTaken)
	})
}

// Change replaces the settings of an application; seen is that of command.DecideSeen. When
// nothing differs nothing is appended. ErrUnknown, ErrInvalid, command.ErrChanged.
func Change(ctx context.Context, log command.Log, by command.By, id ID, name string, seen *uint64, edit func(*events.ApplicationSettings)) (uint64, error) {
	return command.DecideSeen(ctx, log, by, events.ApplicationSubject(id.Namespace, name), seen, func(last events.Payload, _ uint64) (events.Payload, error) {
		live, before := stateOf(last)
		if live != id.Application {
			return nil, fmt.Errorf("application %s: %w", name, ErrUnknown)
		}
		before.Compose = ""
		after := before
		edit(&after)
		if after.Digest == before.Digest {
			after.Compose = ""
		}
		if err := checkSettings(after); err != nil || after == before {
			return nil, err
		}
		return events.ApplicationChanged{Namespace: id.Namespace, Application: id.Application, Name: name, Settings: after}, nil
	})
}

// Delete ends an application. ErrUnknown.
func Delete(ctx context.Context, log command.Log, by command.By, id ID, name string) (uint64, error) {
	return command.Decide(ctx, log, by, events.ApplicationSubject(id.Namespace, name), func(last events.Payload, _ uint64) (events.Payload, error) {
		if live, _ := stateOf(last); live != id.Application {
			return nil, fmt.Errorf("application %s: %w", name, ErrUnknown)
		}
		return events.ApplicationDeleted{Namespace: id.Namespace, Application: id.Application, Name: name}, nil
	})
}

// Pins are what a release is made of.
type Pins struct {
	Digest         string // of the Compose file
	Images         []events.ReleaseImage
	Configurations []events.ReleaseConfiguration
	Note           string
}

// Release records the release of that number, which is one more than that of the latest one
// that the caller has seen: two makers at once do not both make the next. events.ErrConflict,
// ErrInvalid.
func Release(ctx context.Context, log command.Log, by command.By, id ID, name string, number int, p Pins) (uint64, error) {
	if len(p.Note) > maxNote {
		return 0, fmt.Errorf("%w: the note has %d bytes, and at most %d", ErrInvalid, len(p.Note), maxNote)
	}
	r := events.ReleaseMade{Namespace: id.Namespace, Application: id.Application, Name: name, Number: number, Digest: p.Digest, Images: p.Images, Configurations: p.Configurations, Note: p.Note}
	return command.Decide(ctx, log, by, r.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		before, _ := last.(events.ReleaseMade)
		if before.Number+1 != r.Number {
			return nil, fmt.Errorf("release %d was made at the same time: %w", before.Number, events.ErrConflict)
		}
		return r, nil
	})
}
