package images

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/imagediff"
	"hubledger/services/web/frame"
)

// A comparePage says in what two images differ.
type comparePage struct {
	Repository apitypes.RepositoryDetails
	A, B       *side
	Wrong      string   // why there is nothing to compare, "" when there is
	Platforms  []string // that both have, of indexes
	Platform   string
	imagediff.Diff
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
	p.Diff = imagediff.Of(p.A.Image, p.B.Image, func(n int64) string { return frame.Size(n) })
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

// descend goes from indexes to their images of one platform that both have.
func (p *comparePage) descend(v *frame.Visit) error {
	a, b := imagediff.Images(p.A.Image), imagediff.Images(p.B.Image)
	p.Platforms = imagediff.Common(a, b)
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

// HasFiles says that the two may have files that can be compared.
func (p comparePage) HasFiles() bool {
	return len(p.A.Image.Layers) > 0 && len(p.B.Image.Layers) > 0 && p.A.Digest != p.B.Digest
}
