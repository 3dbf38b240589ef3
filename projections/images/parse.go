package images

import (
	"encoding/json"
	"errors"
	"fmt"

	"hubledger/events/plain"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// ParseManifest reads a manifest's bytes. It checks only that they are JSON; what
// is a valid manifest is decided by the registry.
func ParseManifest(raw []byte) (*Manifest, error) {
	if m, ok := parsePlain(raw); ok {
		return m, nil
	}
	var m Manifest
	err := json.Unmarshal(raw, &m)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field == "":
		return nil, fmt.Errorf("manifest is a JSON %s, not an object", kind.Value)
	case errors.As(err, &kind):
		return nil, fmt.Errorf("manifest has a JSON %s as its %s", kind.Value, kind.Field)
	case err != nil:
		return nil, fmt.Errorf("manifest is not valid JSON: %w", err)
	}
	return &m, nil
}

// parsePlain reads a manifest of plain JSON whose members are all known here; false
// leaves any other to encoding/json, which gives the same value for these.
func parsePlain(raw []byte) (*Manifest, bool) {
	p := plain.New(raw)
	m := &Manifest{}
	p.Object(func(key []byte) {
		switch string(key) {
		case "schemaVersion":
			n := p.Number()
			m.SchemaVersion = int(n)
			if int64(m.SchemaVersion) != n { // where an int has 32 bits
				p.Odd()
			}
		case "mediaType":
			m.MediaType = string(p.Text())
		case "artifactType":
			m.ArtifactType = string(p.Text())
		case "config":
			onlyDescriptor(p, &m.Config)
		case "layers":
			descriptors(p, &m.Layers)
		case "manifests":
			descriptors(p, &m.Manifests)
		case "subject":
			onlyDescriptor(p, &m.Subject)
		case "annotations":
			p.Texts(&m.Annotations)
		default:
			p.Odd()
		}
	})
	return m, p.Done()
}

func descriptors(p *plain.Reader, list *[]v1.Descriptor) {
	if *list != nil { // json would merge them
		p.Odd()
		return
	}
	*list = []v1.Descriptor{}
	p.List(func() { *list = append(*list, descriptor(p)) })
}

func onlyDescriptor(p *plain.Reader, d **v1.Descriptor) {
	if *d != nil { // json would merge them
		p.Odd()
		return
	}
	is := descriptor(p)
	*d = &is
}

func descriptor(p *plain.Reader) (d v1.Descriptor) {
	p.Object(func(key []byte) {
		switch string(key) {
		case "mediaType":
			d.MediaType = string(p.Text())
		case "digest":
			d.Digest = digest.Digest(p.Text())
		case "size":
			d.Size = p.Number()
		case "annotations":
			p.Texts(&d.Annotations)
		case "artifactType":
			d.ArtifactType = string(p.Text())
		case "platform":
			platform(p, &d.Platform)
		default:
			p.Odd()
		}
	})
	return d
}

func platform(p *plain.Reader, of **v1.Platform) {
	if *of != nil { // json would merge them
		p.Odd()
		return
	}
	is := &v1.Platform{}
	*of = is
	p.Object(func(key []byte) {
		switch string(key) {
		case "architecture":
			is.Architecture = string(p.Text())
		case "os":
			is.OS = string(p.Text())
		case "os.version":
			is.OSVersion = string(p.Text())
		case "variant":
			is.Variant = string(p.Text())
		default:
			p.Odd()
		}
	})
}
