package images

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// A comparePage says in what two images differ.
type comparePage struct {
	Repository apitypes.RepositoryDetails
	A, B       *side
	Wrong      string   // why there is nothing to compare, "" when there is
	Platforms  []string // that both have, of indexes
	Platform   string
	Facts      []difference
	Env        []difference
	Labels     []difference
	Shared     []apitypes.Layer // from the lowest layer on, the same in both
	OnlyA      []apitypes.Layer
	OnlyB      []apitypes.Layer
	Files      *filesPart // nil until the visitor asks for them
	FilesWrong string     // why they cannot be compared
}

// A side is one of the two, as it was named.
type side struct {
	Ref, Digest string
	Image       apitypes.Manifest
}

// Tag is the tag that it was named by, "" where that was a digest.
func (s side) Tag() string {
	if strings.Contains(s.Ref, ":") {
		return ""
	}
	return s.Ref
}

// Shown is what its columns are headed by.
func (s side) Shown() string { return cmp.Or(s.Tag(), frame.Short(s.Digest)) }

// A difference is a fact that the two do not have alike; "" where one lacks it.
type difference struct{ Name, A, B string }

func showCompare(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	p := comparePage{Repository: r}
	if v.Query("a") == "" || v.Query("b") == "" {
		return p, nil
	}
	for _, s := range []struct {
		to  **side
		ref string
	}{{&p.A, v.Query("a")}, {&p.B, v.Query("b")}} {
		*s.to, err = findSide(v, s.ref)
		var problem *endpoint.Problem
		if errors.As(err, &problem) && problem.Status < 500 {
			p.Wrong = "There is no tag or digest " + s.ref + " in this repository."
			return p, nil
		}
		if err != nil {
			return nil, err
		}
	}
	if err := p.descend(v); err != nil || p.Wrong != "" {
		return p, err
	}
	p.compare()
	return p, p.compareFiles(v)
}

// findSide finds a tag or a digest.
func findSide(v *frame.Visit, ref string) (*side, error) {
	s := &side{Ref: ref, Digest: ref}
	if !strings.Contains(ref, ":") {
		tag, err := frame.Get[apitypes.Tag](v, frame.Path("repositories", v.Repo(), "tags", ref), nil)
		if err != nil {
			return nil, err
		}
		s.Digest = tag.Digest
	}
	var err error
	s.Image, err = frame.Get[apitypes.Manifest](v, frame.Path("repositories", v.Repo(), "manifests", s.Digest), nil)
	return s, err
}

func platformName(i apitypes.Image) string {
	return strings.Trim(strings.Join([]string{i.OS, i.Architecture, i.Variant}, "/"), "/")
}

// descend goes from indexes to their images of one platform that both have.
func (p *comparePage) descend(v *frame.Visit) error {
	of := func(s *side) map[string]string {
		if len(s.Image.Images) == 0 {
			return map[string]string{platformName(s.Image.Image): s.Digest}
		}
		all := map[string]string{}
		for _, i := range s.Image.Images {
			all[platformName(i)] = i.Digest
		}
		return all
	}
	a, b := of(p.A), of(p.B)
	for name := range a {
		if _, ok := b[name]; ok {
			p.Platforms = append(p.Platforms, name)
		}
	}
	slices.Sort(p.Platforms)
	if len(p.Platforms) == 0 {
		p.Wrong = "The two have no platform in common."
		return nil
	}
	p.Platform = p.Platforms[0]
	if slices.Contains(p.Platforms, v.Query("platform")) {
		p.Platform = v.Query("platform")
	}
	for s, digest := range map[*side]string{p.A: a[p.Platform], p.B: b[p.Platform]} {
		if s.Digest == digest {
			continue
		}
		var err error
		s.Digest = digest
		if s.Image, err = frame.Get[apitypes.Manifest](v, frame.Path("repositories", v.Repo(), "manifests", digest), nil); err != nil {
			return err
		}
	}
	return nil
}

func (p *comparePage) compare() {
	ca, cb := cmp.Or(p.A.Image.Config, &apitypes.ImageConfig{}), cmp.Or(p.B.Image.Config, &apitypes.ImageConfig{})
	words := func(list []string) string { return strings.Join(list, " ") }
	for _, d := range []difference{
		{"Type", p.A.Image.MediaType, p.B.Image.MediaType},
		{"Download", frame.Size(p.A.Image.Download), frame.Size(p.B.Image.Download)},
		{"Entrypoint", words(ca.Entrypoint), words(cb.Entrypoint)},
		{"Command", words(ca.Cmd), words(cb.Cmd)},
		{"User", ca.User, cb.User},
		{"Working directory", ca.WorkingDir, cb.WorkingDir},
		{"Ports", words(ca.Ports), words(cb.Ports)},
		{"Volumes", words(ca.Volumes), words(cb.Volumes)},
		{"Stop signal", ca.StopSignal, cb.StopSignal},
	} {
		if d.A != d.B {
			p.Facts = append(p.Facts, d)
		}
	}
	p.Env, p.Labels = differences(variables(ca.Env), variables(cb.Env)), differences(ca.Labels, cb.Labels)
	la, lb := p.A.Image.Layers, p.B.Image.Layers
	for len(la) > 0 && len(lb) > 0 && la[0].Digest == lb[0].Digest {
		p.Shared, la, lb = append(p.Shared, la[0]), la[1:], lb[1:]
	}
	p.OnlyA, p.OnlyB = la, lb
}

// HasFiles says that the two may have files that can be compared.
func (p comparePage) HasFiles() bool {
	return len(p.A.Image.Layers) > 0 && len(p.B.Image.Layers) > 0 && p.A.Digest != p.B.Digest
}

// Same says that the two do not differ in anything that is compared.
func (p comparePage) Same() bool {
	return len(p.Facts)+len(p.Env)+len(p.Labels)+len(p.OnlyA)+len(p.OnlyB) == 0
}

func variables(env []string) map[string]string {
	all := map[string]string{}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		all[name] = value
	}
	return all
}

// differences are the names that only one has, or that have another value in each.
func differences(a, b map[string]string) (list []difference) {
	names := map[string]bool{}
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		_, inA := a[name]
		if _, inB := b[name]; a[name] != b[name] || inA != inB {
			list = append(list, difference{name, a[name], b[name]})
		}
	}
	return list
}
