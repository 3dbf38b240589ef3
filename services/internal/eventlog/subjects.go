package eventlog

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/eventquery"
)

var (
	isDigest = regexp.MustCompile(`^(sha256:[0-9a-f]{12,64}|sha512:[0-9a-f]{12,128}|[0-9a-f]{12,128})$`)
	// A container of an application is called by its environment, colour, service and number.
	isContainer = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-(blue|green|base)-[A-Za-z0-9_.-]{1,100}$`)
	isTag       = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
)

// Find names the event to ask Why of by what people have in their hands: the sequence or id
// of an event, the id of a build or of a deployment, the id or name of a container, a digest or its
// beginning, NAME@DIGEST, or NAME:TAG. It is the event that made it what it is: the end of a build
// rather than the push that it made, the latest event of a tag, the request of a deployment. ErrUnknown where there is none that p may read.
func (r *Reader) Find(ctx context.Context, p access.Principal, what string) (ref string, err error) {
	name, d, pinned := strings.Cut(what, "@")
	switch at := strings.LastIndexByte(what, ':'); {
	case pinned && isDigest.MatchString(d):
		return r.findDigest(ctx, p, eventquery.Term{Name: "repo", Value: name}, d)
	case isDigest.MatchString(what) && !digits(what):
		ref, err := r.findDigest(ctx, p, eventquery.Term{}, what)
		if errors.Is(err, ErrUnknown) && !strings.Contains(what, ":") {
			return r.findDeployment(ctx, what)
		}
		return ref, err
	case isContainer.MatchString(what):
		return r.findDeployment(ctx, what)
	case at > 0 && isTag.MatchString(what[at+1:]):
		return r.findTag(ctx, p, what[:at], what[at+1:])
	case strings.Count(what, "-") == 4:
		return r.findID(ctx, p, what)
	}
	return what, nil
}

func digits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// findID is the event with that id, the latest one of the build, or the request of the deployment
// with that id.
func (r *Reader) findID(ctx context.Context, p access.Principal, id string) (string, error) {
	if seq, err := r.find(ctx, id); err != nil || seq > 0 {
		return id, err
	}
	namespace, err := r.NamespaceOfBuild(ctx, id)
	if err != nil {
		return "", err
	}
	if namespace == "" {
		return r.findDeployment(ctx, id)
	}
	return r.latest(ctx, p, whatever, eventquery.Term{Name: "aggregate", Value: events.BuildSubject(namespace, id)})
}

// findDeployment is the request of a deployment, by its id or by a container that it brought.
func (r *Reader) findDeployment(ctx context.Context, what string) (string, error) {
	event, err := r.EventOfDeployment(ctx, what)
	if err == nil && event == "" {
		err = ErrUnknown
	}
	return event, err
}

// findTag is the latest event of a tag.
func (r *Reader) findTag(ctx context.Context, p access.Principal, name, tag string) (string, error) {
	repo, err := r.Accounts.Repository(ctx, name)
	if errors.Is(err, accounts.ErrNotFound) {
		return "", ErrUnknown
	}
	if err != nil {
		return "", err
	}
	return r.latest(ctx, p, whatever, eventquery.Term{Name: "aggregate", Value: events.TagSubject(repo.Namespace, repo.ID, tag)})
}

// findDigest is the build that pushed an image of that digest, or an index that it is in;
// without one its push, or else the latest event that names the digest.
func (r *Reader) findDigest(ctx context.Context, p access.Principal, in eventquery.Term, d string) (string, error) {
	if !strings.Contains(d, ":") {
		d = "sha256:" + d
	}
	begins := func(of digest.Digest) bool { return strings.HasPrefix(of.String(), d) }
	names := eventquery.Term{Name: "digest", Value: d}
	kind := func(name string) eventquery.Term { return eventquery.Term{Name: "type", Value: name} }
	built := func(e events.Payload) bool {
		b, is := e.(events.BuildPushed)
		return is && begins(digest.Digest(b.Digest))
	}
	if ref, err := r.latest(ctx, p, built, in, names, kind("build.pushed.v1")); !errors.Is(err, ErrUnknown) {
		return ref, err
	}
	var index digest.Digest
	pushed := func(e events.Payload) bool {
		push, is := e.(events.ImagePushed)
		if is && !begins(push.Digest) && index == "" {
			index = push.Digest
		}
		return is && begins(push.Digest)
	}
	ref, err := r.latest(ctx, p, pushed, in, names, kind("image.pushed.v1"))
	if err != nil && !errors.Is(err, ErrUnknown) {
		return "", err
	}
	if index != "" {
		of := func(e events.Payload) bool { b, is := e.(events.BuildPushed); return is && b.Digest == index.String() }
		if above, err := r.latest(ctx, p, of, in, eventquery.Term{Name: "digest", Value: index.String()}, kind("build.pushed.v1")); !errors.Is(err, ErrUnknown) {
			return above, err
		}
	}
	if ref != "" {
		return ref, nil
	}
	return r.latest(ctx, p, whatever, in, names)
}

func whatever(events.Payload) bool { return true }

// latest is the id of the latest event on a page that matches the terms and is what is
// wanted. ErrUnknown.
func (r *Reader) latest(ctx context.Context, p access.Principal, wanted func(events.Payload) bool, terms ...eventquery.Term) (string, error) {
	var q eventquery.Query
	for _, t := range terms {
		if t.Name != "" {
			q.Terms = append(q.Terms, t)
		}
	}
	page, err := r.Page(ctx, p, q, Options{Limit: MaxPage})
	if err != nil {
		return "", err
	}
	for k := range page.Events {
		if e, err := events.Decode(&page.Events[k].Event); err == nil && wanted(e) {
			return page.Events[k].ID(), nil
		}
	}
	return "", ErrUnknown
}
