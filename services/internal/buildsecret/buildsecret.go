// Package buildsecret holds what may be decided about the secrets that builds of a
// repository read: how they are set and removed, and what their records are called.
package buildsecret

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// Limits of the secrets of a repository. A rule names at most buildrule.MaxList of
// them, which so fit what a build takes.
const (
	MaxSecrets = 100
	MaxSize    = 64 << 10 // bytes of a value
	maxName    = 128
)

var (
	// ErrUnknown: the repository has no secret of that name.
	ErrUnknown = errors.New("the repository has no build secret of that name")
	// ErrTooMany: the repository has as many secrets as it may.
	ErrTooMany = fmt.Errorf("a repository has at most %d build secrets", MaxSecrets)
	// ErrInvalid: the name or the value cannot be used; the error's text says why.
	ErrInvalid = errors.New("invalid build secret")
)

// Prefix begins the names of the records of builds among the secrets. A record is
// written once, and the event says which one is good.
const Prefix = "build."

// RecordName is the name of one record of a repository.
func RecordName(repository, record string) string { return Prefix + repository + "." + record }

// ParseRecordName is what RecordName was made of.
func ParseRecordName(name string) (repository, record string) {
	repository, record, _ = strings.Cut(strings.TrimPrefix(name, Prefix), ".")
	return repository, record
}

var nameSyntax = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// CheckName says whether a secret can have that name. ErrInvalid.
func CheckName(name string) error {
	if len(name) > maxName || !nameSyntax.MatchString(name) {
		return fmt.Errorf("%w: %.80q is no name: write 1 to %d letters, digits and . _ -, such as NPM_TOKEN", ErrInvalid, name, maxName)
	}
	return nil
}

// CheckValue says whether a secret can have that value. ErrInvalid.
func CheckValue(value string) error {
	switch {
	case value == "":
		return fmt.Errorf("%w: the value is empty", ErrInvalid)
	case strings.ContainsRune(value, 0):
		return fmt.Errorf("%w: the value has a NUL byte: encode it, for instance with base64, and decode it in the Dockerfile", ErrInvalid)
	case len(value) > MaxSize:
		return fmt.Errorf("%w: the value has %d bytes, and at most %d", ErrInvalid, len(value), MaxSize)
	}
	return nil
}

// Set lets a secret have the value of a record that was written before. name is that
// of the repository.
func Set(ctx context.Context, log command.Log, by command.By, id repository.ID, name, secret, record string, forFile bool) (uint64, error) {
	if err := CheckName(secret); err != nil {
		return 0, err
	}
	e := events.BuildSecretSet{Namespace: id.Namespace, Repository: id.Repository, Name: name, Secret: secret, Record: record, ForFile: forFile}
	return command.Decide(ctx, log, by, e.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		if last == events.Payload(e) {
			return nil, nil // an attempt before was recorded
		}
		return e, nil
	})
}

// Remove takes a secret away. ErrUnknown.
func Remove(ctx context.Context, log command.Log, by command.By, id repository.ID, name, secret string) (uint64, error) {
	return command.Decide(ctx, log, by, events.BuildSecretSubject(id.Namespace, id.Repository, secret), func(last events.Payload, _ uint64) (events.Payload, error) {
		if _, there := last.(events.BuildSecretSet); !there {
			return nil, ErrUnknown
		}
		return events.BuildSecretRemoved{Namespace: id.Namespace, Repository: id.Repository, Name: name, Secret: secret}, nil
	})
}
