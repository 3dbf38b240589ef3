package images

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type imagePage struct {
	Repository  apitypes.RepositoryDetails
	Image       shownImage
	Shown       *shownImage // of an index, the image for the platform that is shown; else nil
	Commands    []command
	Unqualified bool
	Running     []apitypes.RunningImage // of it, or of an index that names it
}

// A shownImage is a manifest with what a page says of it.
type shownImage struct{ apitypes.Manifest }

// Kind is what it is, for people.
func (m shownImage) Kind() string {
	if kind := frame.KindOf(m.ArtifactType); kind != "" {
		return kind
	}
	if m.IsIndex() {
		return "Index of images"
	}
	return "Image"
}

// IsIndex says whether it names images for platforms.
func (m shownImage) IsIndex() bool {
	return strings.Contains(m.MediaType, "image.index") || strings.Contains(m.MediaType, "manifest.list")
}

// Reproducible says that its build time is none.
func (m shownImage) Reproducible() bool { return m.Built != nil && reproducible(*m.Built) }

// Largest is the size of its largest layer.
func (m shownImage) Largest() (n int64) {
	for _, l := range m.Layers {
		n = max(n, l.Size)
	}
	return n
}

// A referrer is what is about an image.
type referrer struct{ apitypes.Referrer }

// Kind is what it is, for people.
func (r referrer) Kind() string {
	if r.ArtifactType == "attestation-manifest" {
		var says []string
		for _, p := range r.Predicates {
			switch {
			case strings.HasPrefix(p, "https://spdx.dev/"), strings.HasPrefix(p, "https://cyclonedx.org/"):
				says = append(says, "SBOM")
			case strings.HasPrefix(p, "https://slsa.dev/provenance/"):
				says = append(says, "Provenance")
			}
		}
		if len(says) == 0 || len(says) < len(r.Predicates) {
			says = append(says, "Attestation")
		}
		return strings.Join(slices.Compact(says), ", ") + " (BuildKit)"
	}
	if kind := frame.KindOf(r.ArtifactType); kind != "" {
		return kind
	}
	return "Artifact"
}

// Of is the digest that an attestation of an index describes.
func (r referrer) Of() string { return r.Annotations["vnd.docker.reference.digest"] }

// About is what is about it.
func (m shownImage) About() []referrer {
	var list []referrer
	for _, r := range m.Referrers {
		list = append(list, referrer{r})
	}
	return list
}

// A pair of texts of a map, in the order of its keys.
type pair struct{ Key, Value string }

func pairs(of map[string]string) []pair {
	var list []pair
	for _, key := range slices.Sorted(maps.Keys(of)) {
		list = append(list, pair{key, of[key]})
	}
	return list
}

// Notes are its annotations.
func (m shownImage) Notes() []pair { return pairs(m.Annotations) }

// Labels are those of its config.
func (m shownImage) Labels() []pair { return pairs(m.Config.Labels) }

func manifest(v *frame.Visit, digest string) (shownImage, error) {
	m, err := frame.Get[apitypes.Manifest](v, frame.Path("repositories", v.Repo(), "manifests", digest), nil)
	return shownImage{m}, err
}

func showImage(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	m, err := manifest(v, v.Path("digest"))
	if err != nil {
		return nil, err
	}
	kind := frame.KindOf(m.ArtifactType)
	p := imagePage{Repository: r, Image: m, Commands: commands(v, r, kind, "", m.Digest), Unqualified: unqualified(v.Host()),
		Running: frame.Running(v, append([]string{m.Digest}, m.Above...)...)}
	if len(m.Tags) > 0 {
		p.Commands = commands(v, r, kind, m.Tags[0], m.Digest)
	}
	if digest := platform(m.Images, v.Query("platform")); digest != "" {
		shown, err := manifest(v, digest)
		if err != nil {
			return nil, err
		}
		p.Shown = &shown
	}
	return p, nil
}

// deleteImage leads to the trash, from which the image can be restored.
func deleteImage(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, frame.Path("repositories", v.Repo(), "manifests", v.Path("digest")), nil, nil)
	return frame.Done(frame.RepoPage(v.Repo())+"/-/trash", seq, err)
}

// platform is the digest of the image that is shown of an index: that of the platform
// that was asked for, or else the default: linux/amd64, or the first.
func platform(list []apitypes.Image, wanted string) string {
	if wanted == "" {
		wanted = "linux/amd64"
	}
	for _, i := range list {
		if i.Platform() == wanted || i.Digest == wanted {
			return i.Digest
		}
	}
	if len(list) > 0 {
		return list[0].Digest
	}
	return ""
}
