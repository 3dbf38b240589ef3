package deployer

import (
	"context"
	"slices"
	"strings"

	"hubledger/projections/deploys"
	"hubledger/services/deployer/linediff"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/application"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type diffIn struct {
	ReleasePath
	From int `query:"from" minimum:"0" maximum:"1000000000" doc:"Number of the release to compare with; the one before unless told"`
}

func (s *Deployer) diff(ctx context.Context, c *endpoint.Call, in *diffIn) (*openapi.Answer[apitypes.ReleaseDiff], error) {
	a, to, err := s.numbered(ctx, c, &in.ReleasePath)
	if err != nil {
		return nil, err
	}
	from := &deploys.Release{}
	if in.From == 0 {
		in.From = to.Number - 1
	}
	if in.From > 0 {
		path := in.ReleasePath
		path.Release = in.From
		if _, from, err = s.numbered(ctx, c, &path); err != nil {
			return nil, err
		}
	}
	out := apitypes.ReleaseDiff{From: from.Number, To: to.Number, Compose: []apitypes.LineDiff{}}
	if out.Images, err = s.imagesDiffer(ctx, c, a, from, to); err != nil {
		return nil, err
	}
	if out.Configurations, err = s.configurationsDiffer(ctx, from, to); err != nil {
		return nil, err
	}
	if from.Digest != to.Digest {
		var before string
		if from.Digest != "" {
			if before, err = s.Read.Compose(ctx, a.ID, from.Digest); err != nil {
				return nil, err
			}
		}
		after, err := s.Read.Compose(ctx, a.ID, to.Digest)
		if err != nil {
			return nil, err
		}
		for _, l := range linediff.Of(before, after) {
			out.Compose = append(out.Compose, apitypes.LineDiff{Sign: l.Sign, From: l.A, To: l.B, Text: l.Text})
		}
	}
	return openapi.Show(out), nil
}

func (s *Deployer) imagesDiffer(ctx context.Context, c *endpoint.Call, a *deploys.Application, from, to *deploys.Release) ([]apitypes.ImageDiff, error) {
	v := s.viewOf(c, a)
	before, err := v.release(ctx, from)
	if err != nil {
		return nil, err
	}
	after, err := v.release(ctx, to)
	if err != nil {
		return nil, err
	}
	by := map[string]apitypes.ImageDiff{}
	for k := range before.Images {
		i := &before.Images[k]
		by[i.Service] = apitypes.ImageDiff{Service: i.Service, From: i}
	}
	for k := range after.Images {
		i := &after.Images[k]
		d := by[i.Service]
		d.Service, d.To = i.Service, i
		by[i.Service] = d
	}
	out := []apitypes.ImageDiff{}
	for _, d := range by {
		if d.From == nil || d.To == nil || d.From.Digest != d.To.Digest || d.From.Name != d.To.Name {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b apitypes.ImageDiff) int { return strings.Compare(a.Service, b.Service) })
	return out, nil
}

// configurationsDiffer compares those of environments with the same name.
func (s *Deployer) configurationsDiffer(ctx context.Context, from, to *deploys.Release) ([]apitypes.ConfigDiff, error) {
	type pair struct {
		environment [2]string
		version     [2]int
	}
	by := map[string]pair{}
	for side, r := range []*deploys.Release{from, to} {
		for _, of := range r.Configurations {
			p := by[of.Called]
			p.environment[side], p.version[side] = of.Environment, of.Version
			by[of.Called] = p
		}
	}
	out := []apitypes.ConfigDiff{}
	for name, p := range by {
		var set [2]application.Configuration
		for side := range set {
			if p.version[side] == 0 {
				continue
			}
			c, err := s.Read.Configuration(ctx, p.environment[side], p.version[side])
			if err != nil {
				return nil, err
			}
			set[side] = application.Configuration{Values: c.Values, Secrets: c.Secrets}
		}
		keys := application.Differing(set[0], set[1])
		if len(keys) > 0 || p.environment[0] == "" || p.environment[1] == "" {
			out = append(out, apitypes.ConfigDiff{Environment: name, From: p.version[0], To: p.version[1], Keys: append([]string{}, keys...)})
		}
	}
	slices.SortFunc(out, func(a, b apitypes.ConfigDiff) int { return strings.Compare(a.Environment, b.Environment) })
	return out, nil
}
