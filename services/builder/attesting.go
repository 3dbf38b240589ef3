package builder

import (
	"context"
	"errors"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/builds"
	"hubledger/projections/images"
	"hubledger/services/builder/provenance"
	"hubledger/services/internal/command"
	"hubledger/services/internal/gitremote"
)

// attest puts the provenance of a build's image beside it, and returns the digest of its
// manifest; "" when the image is gone already. All that it says is in the log, so that
// doing it again makes the same one.
func (s *Builder) attest(ctx context.Context, by command.By, b *builds.Build, name string) (string, error) {
	facts := provenance.Facts{Scanner: b.Scanner, Name: s.host() + "/" + name, Digest: digest.Digest(b.End.Digest), Build: b.ID, Builder: s.URL + "/builders/" + b.Builder,
		Started: b.Claimed, Finished: b.Changed, Ref: b.Ref, Commit: b.Commit, Rule: b.Rule, Tags: b.Tags, Untrusted: b.Untrusted}
	if b.Upload != nil {
		facts.Upload = digest.Digest(b.Upload.Digest)
	}
	var err error
	if facts.Bases, err = s.Read.Bases(ctx, b.ID); err != nil {
		return "", err
	}
	if facts.Git, err = s.gitURL(ctx, b.Source); err != nil {
		return "", err
	}
	statement, err := provenance.Statement(facts)
	if err != nil {
		return "", err
	}
	key, err := s.keys.Key(ctx)
	if err != nil {
		return "", err
	}
	a, err := provenance.Sign(statement, key)
	if err != nil {
		return "", err
	}
	d, err := s.Images.Attach(ctx, by, name, facts.Digest, a)
	if errors.Is(err, images.ErrNotFound) {
		err = nil
	}
	return d.String(), err
}

// host is the hub's in names of images.
func (s *Builder) host() string {
	_, host, _ := strings.Cut(s.URL, "://")
	return strings.TrimSuffix(host, "/")
}

// gitURL is the URL of a git source in the form of a URI; "" when it is not known any more.
func (s *Builder) gitURL(ctx context.Context, source string) (string, error) {
	if source == "" {
		return "", nil // an uploaded directory
	}
	of, err := s.Read.SourceByID(ctx, source)
	if errors.Is(err, builds.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	u, err := gitremote.ParseURL(of.Settings.URL)
	if err != nil {
		return "", nil
	}
	if u.Scheme != "ssh" {
		return u.String(), nil
	}
	return "ssh://" + u.User + "@" + u.Host + "/" + strings.TrimPrefix(u.Path, "/"), nil
}
