package application

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/command"
)

// Limits of a configuration.
const (
	MaxValues  = 200       // with the secrets
	MaxSize    = 64 << 10  // bytes of one value, and of one secret
	MaxAll     = 256 << 10 // bytes of all values and secrets
	maxKeyName = 128
)

// Prefix begins the names of the records of environments among the secrets. A record is
// written once, and the event says which one is good.
const Prefix = "deploy."

// RecordName is the name of one record of an environment.
func RecordName(environment, record string) string { return Prefix + environment + "." + record }

// ParseRecordName is what RecordName was made of.
func ParseRecordName(name string) (environment, record string) {
	environment, record, _ = strings.Cut(strings.TrimPrefix(name, Prefix), ".")
	return environment, record
}

var keySyntax = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// CheckKey says whether a value or a secret can have that name, by which containers have
// it in their environment. ErrInvalid.
func CheckKey(name string) error {
	if len(name) > maxKeyName || !keySyntax.MatchString(name) {
		return fmt.Errorf("%w: %.80q is no name of a variable: write 1 to %d letters, digits and _, such as DATABASE_URL", ErrInvalid, name, maxKeyName)
	}
	return nil
}

// CheckValue says whether a key can have that value. ErrInvalid.
func CheckValue(value string) error {
	switch {
	case strings.ContainsRune(value, 0):
		return fmt.Errorf("%w: the value has a NUL byte, which no environment can have: encode it, for instance with base64", ErrInvalid)
	case len(value) > MaxSize:
		return fmt.Errorf("%w: the value has %d bytes, and at most %d", ErrInvalid, len(value), MaxSize)
	}
	return nil
}

// An Environment is one of an application.
type Environment struct {
	ID
	Name        string // full name of the application
	Environment string // id
	Called      string // name of the environment
}

// CheckEnvironment says whether an environment can have that name. ErrInvalid.
func CheckEnvironment(name string) error {
	if !nameSyntax.MatchString(name) {
		return fmt.Errorf("%w: %.80q is no name of an environment: write 1 to 40 lower-case letters, digits and -, such as production", ErrInvalid, name)
	}
	return nil
}

// CreateEnvironment makes an environment with an id that was minted for it before.
// ErrTaken, ErrInvalid.
func CreateEnvironment(ctx context.Context, log command.Log, by command.By, of Environment) (uint64, error) {
	e := events.EnvironmentCreated{Namespace: of.Namespace, Application: of.Application, Name: of.Name, Environment: of.Environment, Called: of.Called}
	if err := CheckEnvironment(e.Called); err != nil {
		return 0, err
	}
	return command.Decide(ctx, log, by, e.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		switch liveEnvironment(last) {
		case "":
			return e, nil
		case e.Environment:
			return nil, nil // an attempt before was recorded
		}
		return nil, fmt.Errorf("environment %s: %w", e.Called, ErrTaken)
	})
}

// liveEnvironment tells from the latest event of a name which environment lives, "" for none.
func liveEnvironment(last events.Payload) string {
	switch p := last.(type) {
	case events.EnvironmentCreated:
		return p.Environment
	case interface{ About() events.DeploymentOf }:
		return p.About().Environment
	}
	return ""
}

// DeleteEnvironment ends an environment, if free says of its latest event that no deployment
// has it. ErrUnknown, and the errors of free.
func DeleteEnvironment(ctx context.Context, log command.Log, by command.By, of Environment, free func(seq uint64) error) (uint64, error) {
	e := events.EnvironmentDeleted{Namespace: of.Namespace, Application: of.Application, Name: of.Name, Environment: of.Environment, Called: of.Called}
	return command.Decide(ctx, log, by, e.Subject(), func(last events.Payload, seq uint64) (events.Payload, error) {
		if liveEnvironment(last) != e.Environment {
			return nil, fmt.Errorf("environment %s: %w", e.Called, ErrUnknown)
		}
		return e, free(seq)
	})
}

// A Configuration is what an environment is set to, each list by name.
type Configuration struct{ Values, Secrets []events.ConfigurationRecord }

// Record is that of a name in a list, "" for none.
func Record(list []events.ConfigurationRecord, name string) string {
	for _, r := range list {
		if r.Name == name {
			return r.Record
		}
	}
	return ""
}

// Set gives a name in a list a record, or with "" takes it away.
func Set(list *[]events.ConfigurationRecord, name, record string) {
	*list = slices.DeleteFunc(*list, func(r events.ConfigurationRecord) bool { return r.Name == name })
	if record != "" {
		*list = append(*list, events.ConfigurationRecord{Name: name, Record: record})
		slices.SortFunc(*list, func(a, b events.ConfigurationRecord) int { return cmp.Compare(a.Name, b.Name) })
	}
}

// Configure makes the next version of an environment's configuration; seen is that of
// command.DecideSeen. edit gets a copy of that of now. When nothing differs nothing is
// appended. ErrInvalid, ErrTooMany, command.ErrChanged, and the errors of edit.
func Configure(ctx context.Context, log command.Log, by command.By, e Environment, seen *uint64, edit func(*Configuration) error) (uint64, error) {
	return command.DecideSeen(ctx, log, by, events.ConfigurationSubject(e.Namespace, e.Environment), seen, func(last events.Payload, _ uint64) (events.Payload, error) {
		before, _ := last.(events.ConfigurationSet)
		after := Configuration{Values: slices.Clone(before.Values), Secrets: slices.Clone(before.Secrets)}
		if err := edit(&after); err != nil {
			return nil, err
		}
		if err := checkConfiguration(after); err != nil {
			return nil, err
		}
		changed := Differing(Configuration{before.Values, before.Secrets}, after)
		if len(changed) == 0 {
			return nil, nil
		}
		return events.ConfigurationSet{Namespace: e.Namespace, Application: e.Application, Name: e.Name, Environment: e.Environment, Called: e.Called, Version: before.Version + 1, Changed: changed,
			Values: after.Values, Secrets: after.Secrets}, nil
	})
}

func checkConfiguration(c Configuration) error {
	var errs []error
	for _, r := range slices.Concat(c.Values, c.Secrets) {
		errs = append(errs, CheckKey(r.Name))
	}
	for _, r := range c.Values {
		if Record(c.Secrets, r.Name) != "" {
			errs = append(errs, fmt.Errorf("%w: %s is a secret already: remove that first", ErrInvalid, r.Name))
		}
	}
	if len(c.Values)+len(c.Secrets) > MaxValues {
		return fmt.Errorf("%w: an environment has at most %d values and secrets", ErrTooMany, MaxValues)
	}
	return errors.Join(errs...)
}

// Differing are the names of the values and secrets that two configurations do not have
// in common, in their order.
func Differing(a, b Configuration) []string {
	all := map[string]bool{}
	for _, lists := range [][2][]events.ConfigurationRecord{{a.Values, b.Values}, {a.Secrets, b.Secrets}} {
		for _, r := range slices.Concat(lists[0], lists[1]) {
			all[r.Name] = all[r.Name] || Record(lists[0], r.Name) != Record(lists[1], r.Name)
		}
	}
	maps.DeleteFunc(all, func(_ string, differs bool) bool { return !differs })
	return slices.Sorted(maps.Keys(all))
}
