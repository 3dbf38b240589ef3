package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/projections/images"
	"hubledger/services/api/inspect"
	"hubledger/services/api/taglist"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// Bounds of what is shown of one manifest.
const (
	maxLayers    = 200
	maxCounted   = 64 // layers whose other images are counted
	maxReferrers = 100
	maxAbove     = 20
	maxAboveRead = 4 << 20 // bytes of indexes, and of attestations, of which the next one is not read for what it says
	maxTagsOf    = 100
)

type listUntaggedIn struct {
	openapi.RepositoryPath
	openapi.Paging
}

func (s *API) registerManifests() {
	const path = repositoryPath + "/manifests"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path + "/{digest}", ID: "get-manifest", Tag: "tags", Permission: access.RepositoryRead, Cost: budget.List,
		Summary: "Show an image, an index or an artifact", About: "Shows its config, its layers, and its referrers. Artifacts of other kinds have layers, too."}, s.getManifest)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: repositoryPath + "/untagged", ID: "list-untagged", Tag: "tags", Permission: access.RepositoryRead, Cost: budget.Search,
		Summary: "List manifests without a tag", About: "Lists manifests that no tag and no index names and that do not refer to an existing manifest, ordered by digest."}, s.listUntagged)
}

func digestOf(text string) (digest.Digest, error) { return digestAt("path.digest", text) }

// digestAt reads the digest in a field of the request.
func digestAt(field, text string) (digest.Digest, error) {
	d := digest.Digest(text)
	if _, err := images.DigestBytes(d); err != nil {
		return "", endpoint.Invalid(field, "a digest is sha256:<64 hex digits> or sha512:<128 hex digits>")
	}
	return d, nil
}

func (s *API) getManifest(ctx context.Context, c *endpoint.Call, in *manifestIn) (*openapi.Answer[apitypes.Manifest], error) {
	d, err := digestOf(in.Digest)
	if err != nil {
		return nil, err
	}
	repo := c.Repository.ID
	m, err := s.Images.ManifestDetail(ctx, repo, d)
	if err != nil {
		return nil, err
	}
	v := apitypes.Manifest{Digest: in.Digest, MediaType: m.MediaType, ArtifactType: m.Artifact, Size: m.Bytes, Download: m.Size, Pushed: m.Pushed, By: m.By, Seq: m.Seq,
		Built: apitypes.Known(m.Created), Tags: []string{}, Annotations: m.Parsed.Annotations, Layers: []apitypes.Layer{}, Images: []apitypes.Image{}, Above: []string{}, Referrers: []apitypes.Referrer{}}
	if v.Annotations == nil {
		v.Annotations = map[string]string{}
	}
	list, err := s.tags.Of(ctx, repo)
	if err != nil && !errors.Is(err, taglist.ErrTooMany) {
		return nil, err
	}
	if list != nil {
		v.Tags = list.Same(m.TagDetail, maxTagsOf)
	}
	from, err := s.madeBy(ctx, c, []digest.Digest{d})
	if err != nil {
		return nil, err
	}
	v.From = from.by(d, "")
	if len(m.Parsed.Manifests) == 0 {
		v.Image = shownImage(m.Images[0])
		if err := s.showLayers(ctx, c, m, &v); err != nil {
			return nil, err
		}
	}
	if err := s.showAround(ctx, c, m, &v); err != nil {
		return nil, err
	}
	return openapi.Show(v), nil
}

// showLayers adds what an image is made of.
func (s *API) showLayers(ctx context.Context, c *endpoint.Call, m *images.ManifestDetail, v *apitypes.Manifest) error {
	made := make([]string, len(m.Parsed.Layers))
	config, lines, err := s.configOf(ctx, c, m)
	if err != nil {
		return err
	}
	if config != nil {
		v.Config, made, v.Built = config, lines, config.Created
	}
	for k, l := range m.Parsed.Layers {
		if k == maxLayers {
			v.MoreLayers = len(m.Parsed.Layers) - maxLayers
			break
		}
		layer := apitypes.Layer{Digest: l.Digest.String(), MediaType: l.MediaType, Size: l.Size, Made: made[k], Title: l.Annotations[v1.AnnotationTitle]}
		if k < maxCounted {
			var err error
			if layer.AlsoIn, err = s.Images.AlsoIn(ctx, c.Repository.ID, l.Digest, m.Digest); err != nil {
				return err
			}
		}
		v.Layers = append(v.Layers, layer)
	}
	return nil
}

// configOf reads the config of an image, and what made each of its layers; nil where there is
// none that can be read.
func (s *API) configOf(ctx context.Context, c *endpoint.Call, m *images.ManifestDetail) (*apitypes.ImageConfig, []string, error) {
	of := m.Parsed.Config
	if of == nil || of.MediaType != v1.MediaTypeImageConfig && of.MediaType != "application/vnd.docker.container.image.v1+json" || of.Size > inspect.MaxConfig {
		return nil, nil, nil
	}
	if err := budget.Of(ctx).Hold(2 * of.Size); err != nil {
		return nil, nil, err
	}
	raw, err := s.Registry.ReadBlob(ctx, c.Repository.ID, of.Digest, inspect.MaxConfig)
	if err != nil {
		return nil, nil, without(err)
	}
	config, lines, err := inspect.Read(raw, len(m.Parsed.Layers))
	if err != nil {
		return nil, nil, nil // it is shown as none
	}
	return &config, lines, nil
}

// By these annotations BuildKit says what an attestation is about, in the index, and what
// each layer of the attestation states.
const (
	referenceDigest = "vnd.docker.reference.digest"
	predicateType   = "in-toto.io/predicate-type"
)

// maxPredicates bounds the types of predicates of one attestation that are shown.
const maxPredicates = 10

// predicatesOf are the types of what an attestation states, each once.
func predicatesOf(manifest []byte) (types []string) {
	m, err := images.ParseManifest(manifest)
	if err != nil {
		return nil
	}
	for _, l := range m.Layers {
		if t := l.Annotations[predicateType]; t != "" && len(types) < maxPredicates && !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return types
}

// showAround adds what belongs to a manifest and what it belongs to.
func (s *API) showAround(ctx context.Context, c *endpoint.Call, m *images.ManifestDetail, v *apitypes.Manifest) error {
	if m.Parsed.Subject != nil {
		v.Subject = m.Parsed.Subject.Digest.String()
	}
	told := 0                   // bytes of attestations
	listed := map[string]bool{} // an attestation of an index may name its image as its subject, too
	attested := func(index *images.ManifestDetail, of digest.Digest) error {
		for _, child := range index.Images {
			for _, d := range index.Parsed.Manifests {
				if !child.Attestation || d.Digest != child.Digest || of != "" && d.Annotations[referenceDigest] != of.String() || len(v.Referrers) == maxReferrers || listed[d.Digest.String()] {
					continue
				}
				r := apitypes.Referrer{Digest: d.Digest.String(), ArtifactType: "attestation-manifest", Size: d.Size, Annotations: d.Annotations}
				if told < maxAboveRead {
					m, err := s.Images.Manifest(ctx, c.Repository.ID, d.Digest)
					if err != nil && !errors.Is(err, images.ErrNotFound) {
						return err
					}
					if err == nil {
						told += len(m.Bytes)
						r.Predicates = predicatesOf(m.Bytes)
					}
				}
				v.Referrers, listed[r.Digest] = append(v.Referrers, r), true
			}
		}
		return nil
	}
	if len(m.Parsed.Manifests) > 0 {
		for _, child := range m.Images {
			if !child.Attestation {
				v.Images = append(v.Images, shownImage(child))
			}
		}
		if err := attested(m, ""); err != nil {
			return err
		}
	}
	above, err := s.Images.Above(ctx, c.Repository.ID, []digest.Digest{m.Digest})
	if err != nil {
		return err
	}
	read := int64(0)
	for _, d := range above[:min(len(above), maxAbove)] {
		if v.Above = append(v.Above, d.String()); read >= maxAboveRead {
			continue
		}
		index, err := s.Images.ManifestDetail(ctx, c.Repository.ID, d)
		if errors.Is(err, images.ErrNotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		read += index.Bytes
		if err := attested(index, m.Digest); err != nil {
			return err
		}
	}
	found, _, err := s.Images.Referrers(ctx, c.Repository.ID, m.Digest, "", "", maxReferrers)
	for _, r := range found {
		if listed[r.Digest.String()] {
			continue
		}
		v.Referrers = append(v.Referrers, apitypes.Referrer{Digest: r.Digest.String(), ArtifactType: r.ArtifactType, Size: r.Size, Annotations: r.Annotations})
	}
	return err
}

func (s *API) listUntagged(ctx context.Context, c *endpoint.Call, in *listUntaggedIn) (*openapi.List[apitypes.UntaggedManifest], error) {
	last, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	if last != "" {
		if _, err := images.DigestBytes(digest.Digest(last)); err != nil {
			return nil, openapi.BadCursor()
		}
	}
	all, err := s.Images.Untagged(ctx, c.Repository.ID, digest.Digest(last), in.Limit+1)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.UntaggedManifest, len(all))
	for k, m := range all {
		views[k] = apitypes.UntaggedManifest{Digest: m.Digest.String(), MediaType: m.MediaType, ArtifactType: m.Parsed.Artifact(), Pushed: m.Pushed, By: m.By, Images: len(m.Parsed.Manifests)}
	}
	return openapi.Page(c, views, in.Limit, func(v apitypes.UntaggedManifest) string { return openapi.CursorAt(v.Digest) }), nil
}
