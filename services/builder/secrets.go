package builder

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/driver"
	"hubledger/services/internal/buildsecret"
)

// maxSecretBytes bounds the secrets of one build: a builder on another machine gets all
// that it has to know in one message.
const maxSecretBytes = 1 << 20

// secretsOf are the secrets that a build may read, by name: those that its rule names,
// none when it comes from a fork. A rule in a file of the commit, which whoever may push
// to the git repository has written, gets only those that are meant for it.
func (s *Builder) secretsOf(ctx context.Context, b *builds.Build, repository string) (map[string][]byte, error) {
	if len(b.Rule.Secrets) == 0 || b.Untrusted {
		return nil, nil
	}
	if s.Secrets == nil {
		return nil, events.ErrReadOnly
	}
	have, err := s.Read.Secrets(ctx, b.Repository)
	if err != nil {
		return nil, err
	}
	found, total := map[string][]byte{}, 0
	for _, name := range b.Rule.Secrets {
		k := slices.IndexFunc(have, func(one builds.Secret) bool { return one.Name == name })
		switch {
		case k < 0:
			return nil, driver.Failuref(driver.Secret, "the rule wants the secret %s, and %s has none of that name: hubledger rules secrets set %s %s", name, repository, repository, name)
		case b.FromFile && !have[k].ForFile:
			return nil, driver.Failuref(driver.Secret, "the rule in .hubledger.yml wants the secret %s, which is not meant for it: set it again with --for-file", name)
		}
		value, _, err := s.Secrets.Get(ctx, buildsecret.RecordName(b.Repository, have[k].Record))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, driver.Failuref(driver.Secret, "the value of the secret %s is lost: set it again", name)
		}
		if err != nil {
			return nil, err
		}
		if total += len(value); total > maxSecretBytes {
			return nil, driver.Failuref(driver.Secret, "the secrets of the rule have together more than %d KiB", maxSecretBytes>>10)
		}
		found[name] = value
	}
	return found, nil
}
