package buildrule

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

var (
	// ErrRules: the rules cannot be saved; the error's text says why.
	ErrRules = errors.New("the build rules cannot be used")
)

// Saved are the rules of a repository, with the id of the git source whose refs they
// are for. Both are empty for no automated builds.
type Saved struct {
	Source   string
	Rules    []Rule
	FromFile bool // those in FileName of a commit are taken instead, when it has that file
}

// Save replaces the rules of a repository, and returns the sequence to wait for. seen
// is the sequence of the rules that the caller replaces, 0 when there were none,
// nil for any. Rules that are the same already append no event. Whether the
// repository lives and the caller may use the source is not checked. ErrRules,
// command.ErrChanged.
func Save(ctx context.Context, log command.Log, by command.By, id repository.ID, name string, s Saved, seen *uint64) (uint64, error) {
	if (s.Source == "") != (len(s.Rules) == 0 && !s.FromFile) {
		return 0, fmt.Errorf("%w: rules need a git source, and a source needs rules, or the wish to take those of %s", ErrRules, FileName)
	}
	if errs := Validate(s.Rules).Errors(); len(errs) > 0 {
		return 0, fmt.Errorf("%w: %w", ErrRules, errs)
	}
	set := events.RulesSet{Namespace: id.Namespace, Repository: id.Repository, Name: name, Source: s.Source, Rules: s.Rules, FromFile: s.FromFile}
	return command.DecideSeen(ctx, log, by, set.Subject(), seen, func(last events.Payload, _ uint64) (events.Payload, error) {
		before, _ := last.(events.RulesSet)
		same, err := sameRules(before.Rules, s.Rules)
		if err != nil || same && before.Source == s.Source && before.FromFile == s.FromFile {
			return nil, err
		}
		set.SameSource = s.Source != "" && before.Source == s.Source
		set.SameTests = set.SameSource && before.TestsPullRequests() && set.TestsPullRequests()
		return set, nil
	})
}

// sameRules compares rules as they are written into events.
func sameRules(a, b []Rule) (bool, error) {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b), nil
	}
	one, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	other, err := json.Marshal(b)
	return bytes.Equal(one, other), err
}
