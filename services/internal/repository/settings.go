package repository

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/plaintext"
)

// ErrSettings: the value of a setting is not allowed; the error's text says why.
var ErrSettings = errors.New("invalid setting")

// A SettingError says which setting has a value that is not allowed, as the API calls it,
// and why. It is an ErrSettings.
type SettingError struct{ Setting, Why string }

func (e *SettingError) Error() string { return ErrSettings.Error() + ": " + e.Why }

// Is makes it an ErrSettings.
func (e *SettingError) Is(target error) bool { return target == ErrSettings }

func invalid(setting, format string, args ...any) error {
	return &SettingError{setting, fmt.Sprintf(format, args...)}
}

// Limits of a repository's description.
const (
	MaxDescription = 100     // characters
	MaxReadme      = 100_000 // bytes
	MaxTopics      = 20
)

// A Description is what people read about a repository.
type Description struct {
	Line   string   // one line of at most MaxDescription characters
	Readme string   // Markdown of at most MaxReadme bytes
	Topics []string // at most MaxTopics of a-z, 0-9 and -, each at most 35 long
}

// ChangeVisibility opens the live repository to everybody, or closes it.
// ErrUnknown, ErrSettings.
func ChangeVisibility(ctx context.Context, log command.Log, by command.By, id ID, name, visibility string) (uint64, error) {
	p, err := visibilityChanged(id, name, visibility)
	if err != nil {
		return 0, err
	}
	return change(ctx, log, by, id, name, p)
}

// visibilityChanged is the event of a new visibility. ErrSettings.
func visibilityChanged(id ID, name, visibility string) (events.Payload, error) {
	return events.RepositoryVisibilityChanged{Namespace: id.Namespace, Repository: id.Repository, Name: name, Visibility: visibility}, checkVisibility(visibility)
}

func checkVisibility(v string) error {
	if v != events.Public && v != events.Private {
		return invalid("visibility", "a repository is %s or %s", events.Public, events.Private)
	}
	return nil
}

// Describe replaces the description of the live repository. ErrUnknown,
// ErrSettings.
func Describe(ctx context.Context, log command.Log, by command.By, id ID, name string, d Description) (uint64, error) {
	p, err := described(id, name, d)
	if err != nil {
		return 0, err
	}
	return change(ctx, log, by, id, name, p)
}

// described is the event of a new description. ErrSettings.
func described(id ID, name string, d Description) (events.RepositoryDescribed, error) {
	d, err := d.checked()
	return events.RepositoryDescribed{Namespace: id.Namespace, Repository: id.Repository, Name: name,
		Description: d.Line, Readme: d.Readme, Topics: d.Topics}, err
}

// summaryOf is the event of a description whose README stays as it is: a README is
// long, and need not be in the log again for a topic.
func summaryOf(p events.RepositoryDescribed) events.RepositorySummaryChanged {
	return events.RepositorySummaryChanged{Namespace: p.Namespace, Repository: p.Repository, Name: p.Name, Description: p.Description, Topics: p.Topics}
}

// Check says what is wrong with a description. ErrSettings.
func (d Description) Check() error {
	_, err := d.checked()
	return err
}

var topicSyntax = regexp.MustCompile(`^[a-z0-9-]{1,35}$`)

// checked is the description with its line trimmed, and its topics sorted and
// without duplicates.
func (d Description) checked() (Description, error) {
	d.Line = strings.TrimSpace(d.Line)
	switch {
	case !plaintext.IsLine(d.Line):
		return d, invalid("description", "a description is one line of text")
	case utf8.RuneCountInString(d.Line) > MaxDescription:
		return d, invalid("description", "a description has at most %d characters", MaxDescription)
	case len(d.Readme) > MaxReadme:
		return d, invalid("readme", "a README has at most %d bytes", MaxReadme)
	case !utf8.ValidString(d.Readme) || strings.ContainsRune(d.Readme, 0):
		return d, invalid("readme", "a README is text in UTF-8")
	}
	d.Topics = slices.Compact(slices.Sorted(slices.Values(d.Topics)))
	if len(d.Topics) > MaxTopics {
		return d, invalid("topics", "a repository has at most %d topics", MaxTopics)
	}
	for _, t := range d.Topics {
		if !topicSyntax.MatchString(t) {
			return d, invalid("topics", "topic %.50q is not up to 35 of a-z, 0-9 and -", t)
		}
	}
	return d, nil
}
