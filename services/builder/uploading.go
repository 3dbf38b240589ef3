package builder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/build"
	"hubledger/services/internal/buildcontext"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/repository"
)

type uploadIn struct {
	openapi.RepositoryPath
	Body apitypes.BuildUploadRequest
}

// upload queues a build of a directory that was pushed as a blob.
func (s *Builder) upload(ctx context.Context, c *endpoint.Call, in *uploadIn) (*openapi.ChangeWith[apitypes.Build], error) {
	rule, err := uploadRule(in.Body)
	if err != nil {
		return nil, err
	}
	d := digest.Digest(in.Body.Digest)
	size, err := s.sizeOf(ctx, c.Repository.Name, d)
	if err != nil {
		return nil, err
	}
	if n, err := s.Read.CountWaiting(ctx, c.Repository.Namespace); err != nil || n >= build.MaxWaiting {
		return nil, cmp.Or(err, build.ErrTooMany)
	}
	id, err := command.NewID()
	if err != nil {
		return nil, err
	}
	by := c.By()
	q := events.BuildQueued{Namespace: c.Repository.Namespace, Repository: c.Repository.ID, Build: id, Rule: rule, Test: in.Body.NoPush, Upload: uploadBy(c, d, size)}
	if !q.Test {
		q.Tags = rule.Tags
	}
	if q.Upload.Account == "" {
		if _, err := s.Account(ctx, &builds.Rules{Namespace: q.Namespace, Actor: by.Actor}); err != nil {
			return nil, fmt.Errorf("%w: %w", build.ErrUpload, err)
		}
	}
	seq, err := build.Queue(ctx, s.Events, by, q)
	if err == nil {
		err = s.API.Readable(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	queued := builds.Build{ID: id, Rule: rule, Tags: q.Tags, Test: q.Test, Upload: q.Upload, State: builds.Waiting, Queued: time.Now().UTC(), Actor: by.Actor, Seq: seq}
	return openapi.ShowChange(seq, shown(c.Repository.Name, &queued, nil)), nil
}

// uploadBy is a directory as the caller has it built.
func uploadBy(c *endpoint.Call, d digest.Digest, size int64) *events.BuildUpload {
	u := &events.BuildUpload{Name: c.Repository.Name, Digest: d.String(), Size: size, Account: c.Principal.ID}
	if c.Principal.Credential != access.Password {
		u.Token = c.Principal.Credential
	}
	return u
}

// sizeOf is that of an uploaded directory. build.ErrUpload.
func (s *Builder) sizeOf(ctx context.Context, name string, d digest.Digest) (int64, error) {
	size, err := s.Images.Upload(ctx, name, d)
	switch {
	case errors.Is(err, images.ErrNotFound):
		return 0, fmt.Errorf("%w: %s has no blob %s, or has it not for long any more: push the directory again, as hubledger build does", build.ErrUpload, name, d)
	case err == nil && size > buildcontext.MaxFile:
		return 0, fmt.Errorf("%w: the file has %d bytes, more than %d: leave out what the build does not need, by .dockerignore", build.ErrUpload, size, buildcontext.MaxFile)
	}
	return size, err
}

// uploadRule is what was asked for, as a rule without a name. build.ErrUpload.
func uploadRule(in apitypes.BuildUploadRequest) (events.BuildRule, error) {
	r := events.BuildRule{Tags: in.Tags, Dockerfile: in.Dockerfile, Autobuild: true, Cache: !in.NoCache && !in.NoPush, Args: in.Args, Target: in.Target, Platforms: in.Platforms, Labels: in.Labels,
		SBOM: in.SBOM && !in.NoPush, Network: in.Network, Submodules: true, LFS: true}
	if in.Autotest {
		r.Autotest = buildrule.AutotestOwn
	}
	d := digest.Digest(in.Digest)
	switch {
	case d.Validate() != nil || d.Algorithm() != digest.SHA256:
		return r, fmt.Errorf("%w: %.100q is no digest: write sha256: and 64 hexadecimal digits", build.ErrUpload, in.Digest)
	case in.NoPush && len(in.Tags) > 0:
		return r, fmt.Errorf("%w: an image that is not pushed has no tags", build.ErrUpload)
	case !in.NoPush && len(in.Tags) == 0:
		return r, fmt.Errorf("%w: an image that is pushed has at least one tag, such as latest", build.ErrUpload)
	}
	if clean := path.Clean(in.Dockerfile); in.Dockerfile != "" && (path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../")) {
		return r, fmt.Errorf("%w: the Dockerfile %.200q is outside of the uploaded directory", build.ErrUpload, in.Dockerfile)
	}
	for _, tag := range in.Tags {
		if !repository.ValidTag(tag) {
			return r, fmt.Errorf("%w: %.150q is no tag", build.ErrUpload, tag)
		}
	}
	// Checked as a rule of a branch is, which has a name and tags.
	checked := r
	checked.Name, checked.Branch = "upload", "upload"
	if in.NoPush {
		checked.Tags = []string{"latest"}
	}
	for _, p := range buildrule.Validate([]events.BuildRule{checked}).Errors() {
		p.Rule = ""
		return r, fmt.Errorf("%w: %w", build.ErrUpload, p)
	}
	return r, nil
}
