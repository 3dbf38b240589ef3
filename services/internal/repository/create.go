package repository

import (
	"context"
	"errors"
	"strconv"

	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
)

var (
	// ErrExists: a repository of that name exists.
	ErrExists = errors.New("there is a repository of that name")
	// ErrNoNamespace is what a *NoNamespaceError is.
	ErrNoNamespace = errors.New("no such namespace")
	// ErrMayNotCreate is what a *MayNotCreateError is.
	ErrMayNotCreate = errors.New("not allowed to create the repository")
)

// A NoNamespaceError tells an administrator that a new repository's namespace
// belongs to nobody. It is an ErrNoNamespace.
type NoNamespaceError struct{ Namespace string }

func (e *NoNamespaceError) Error() string {
	return "there is no user or organization " + strconv.Quote(e.Namespace) + ": create it first"
}

// Is makes it an ErrNoNamespace.
func (e *NoNamespaceError) Is(target error) bool { return target == ErrNoNamespace }

// A MayNotCreateError says that a principal may not create a repository. It is
// also the answer where a repository of that name is hidden from the principal.
// It is an ErrMayNotCreate.
type MayNotCreateError struct {
	Name string // full name
	Own  string // login name of the user who was refused, "" for others
}

func (e *MayNotCreateError) Error() string {
	text := "you may not create " + e.Name
	if e.Own != "" {
		text += ": your own repositories have names that begin with " + e.Own + "/"
	}
	return text
}

// Is makes it an ErrMayNotCreate.
func (e *MayNotCreateError) Is(target error) bool { return target == ErrMayNotCreate }

// Rights decides what a principal may do with a repository's name: *access.Rights.
type Rights interface {
	Repository(ctx context.Context, p access.Principal, name string) (access.Decision, error)
}

// New describes a repository to create.
type New struct {
	Name       string // as clients write it
	Visibility string // events.Public or events.Private
	Description
}

// Create makes a new repository, if the principal may. It appends up to two
// events. What the second would be refused for is checked before the first. ErrName, ErrExists, *NoNamespaceError, *MayNotCreateError, ErrSettings.
func Create(ctx context.Context, log command.Log, by command.By, rights Rights, p access.Principal, want New) (ID, uint64, error) {
	name, err := mayCreate(ctx, rights, p, want.Name)
	if err != nil {
		return ID{}, 0, err
	}
	if err := want.Check(); err != nil {
		return ID{}, 0, err
	}
	id, seq, err := ensure(ctx, log, by, name, want.Visibility)
	if err == nil && (want.Line != "" || want.Readme != "" || len(want.Topics) > 0) {
		seq, err = Describe(ctx, log, by, id, name.Full, want.Description)
	}
	return id, seq, err
}

func mayCreate(ctx context.Context, rights Rights, p access.Principal, full string) (Name, error) {
	name, err := ParseName(full)
	if err != nil {
		return name, err
	}
	d, err := rights.Repository(ctx, p, name.Full)
	switch {
	case err != nil:
		return name, err
	case d.Repository != nil && d.Level >= access.Read:
		return name, ErrExists
	case !d.Create && p.Admin && d.Namespace == nil:
		return name, &NoNamespaceError{name.Namespace}
	case !d.Create && p.Kind == access.User:
		return name, &MayNotCreateError{name.Full, p.Name}
	case !d.Create:
		return name, &MayNotCreateError{Name: name.Full}
	}
	return name, nil
}
