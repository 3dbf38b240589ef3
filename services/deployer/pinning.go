package deployer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/application"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/repository"
)

// pin is what an application is made of now. The Compose file has to be good in each of
// its environments.
func (s *Deployer) pin(ctx context.Context, c *endpoint.Call, a *deploys.Application) (application.Pins, error) {
	r := application.Pins{Digest: a.Digest}
	text, err := s.Read.Compose(ctx, a.ID, a.Digest)
	if err != nil {
		return r, err
	}
	list, err := s.Read.Environments(ctx, a.ID)
	if err != nil {
		return r, err
	}
	var wrong []string
	if len(list) == 0 {
		wrong = append(wrong, "the application has no environment to run in: make one with hubledger apps environments add "+a.Name+" production")
	}
	j, err := s.judge(ctx, text)
	if err != nil {
		return r, err
	}
	for _, p := range j.Problems {
		wrong = append(wrong, p.Error())
	}
	for k := range list {
		e := &list[k]
		r.Configurations = append(r.Configurations, events.ReleaseConfiguration{Environment: e.ID, Called: e.Name, Version: e.Configuration.Version})
		in, err := s.judgeIn(ctx, text, e)
		if err != nil {
			return r, err
		}
		for _, name := range in.Missing {
			wrong = append(wrong, fmt.Sprintf("%s does not set %s: type hubledger apps config set %s %s %s=VALUE, or hubledger apps secret set %s %s %s", e.Name, name, a.Name, e.Name, name, a.Name, e.Name, name))
		}
		for _, p := range in.Problems {
			if !slices.Contains(j.Problems, p) {
				wrong = append(wrong, "in "+e.Name+": "+told(c, p))
			}
		}
	}
	for _, service := range slices.Sorted(maps.Keys(j.Images)) {
		i, reason, err := s.pinImage(ctx, c.Principal, a, j.Images[service])
		if err != nil {
			return r, err
		}
		if reason != "" {
			wrong = append(wrong, "services."+service+".image: "+reason)
		}
		i.Service = service
		r.Images = append(r.Images, i)
	}
	return r, refuse(wrong)
}

// pinImage finds the digest of an image. reason is why it cannot be pinned.
func (s *Deployer) pinImage(ctx context.Context, p access.Principal, a *deploys.Application, image string) (i events.ReleaseImage, reason string, err error) {
	i.Image = image
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return i, fmt.Sprintf("%.200q is no name of an image", image), nil
	}
	i.Name = ref.Name()
	if tagged, ok := reference.TagNameOnly(ref).(reference.Tagged); ok {
		i.Tag = tagged.Tag()
	}
	if pinned, ok := ref.(reference.Digested); ok {
		i.Digest = pinned.Digest().String()
	}
	hosts := s.Hosts()
	if host := reference.Domain(ref); !slices.Contains(hosts, host) {
		if i.Digest == "" {
			reason = fmt.Sprintf("%.200s is of another registry, where a tag can move: write it with its digest, as NAME@sha256:…, or mirror it and write %s/%s", image, strings.Join(hosts[:min(len(hosts), 1)], ""), "NAMESPACE/NAME:TAG")
		}
		return i, reason, nil
	}
	name, err := repository.ParseName(reference.Path(ref))
	if err != nil {
		return i, err.Error(), nil
	}
	i.Name = name.Full
	gone := fmt.Sprintf("there is no image %.200s that you may pull", image)
	d, err := s.Rights.Repository(ctx, p, name.Full)
	if err != nil {
		return i, "", err
	}
	if d.Level < access.Read || d.Repository == nil {
		return i, gone, nil
	}
	i.Repository, i.Held = d.Repository.ID, d.Repository.Namespace == a.Namespace
	if i.Digest != "" {
		there, err := s.Images.HasManifest(ctx, i.Repository, digest.Digest(i.Digest))
		if err == nil && !there {
			reason = gone
		}
		return i, reason, err
	}
	found, _, err := s.Tags.Tagged(ctx, name.Full, i.Tag)
	if errors.Is(err, images.ErrNotFound) {
		return i, gone, nil
	}
	i.Digest = found.String()
	return i, "", err
}
