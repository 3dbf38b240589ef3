package images

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

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
	p := &plain{rest: raw}
	m := &Manifest{}
	p.object(func(key []byte) {
		switch string(key) {
		case "schemaVersion":
			n := p.number()
			m.SchemaVersion = int(n)
			p.odd = p.odd || int64(m.SchemaVersion) != n // where an int has 32 bits
		case "mediaType":
			m.MediaType = string(p.text())
		case "artifactType":
			m.ArtifactType = string(p.text())
		case "config":
			p.onlyDescriptor(&m.Config)
		case "layers":
			p.descriptors(&m.Layers)
		case "manifests":
			p.descriptors(&m.Manifests)
		case "subject":
			p.onlyDescriptor(&m.Subject)
		case "annotations":
			p.texts(&m.Annotations)
		default:
			p.odd = true
		}
	})
	return m, !p.odd && len(bytes.TrimLeft(p.rest, " \t\n\r")) == 0
}

func (p *plain) descriptors(list *[]v1.Descriptor) {
	if *list != nil { // see texts
		p.odd = true
		return
	}
	*list = []v1.Descriptor{}
	p.list(func() { *list = append(*list, p.descriptor()) })
}

func (p *plain) onlyDescriptor(d **v1.Descriptor) {
	if *d != nil { // see texts
		p.odd = true
		return
	}
	is := p.descriptor()
	*d = &is
}

func (p *plain) descriptor() (d v1.Descriptor) {
	p.object(func(key []byte) {
		switch string(key) {
		case "mediaType":
			d.MediaType = string(p.text())
		case "digest":
			d.Digest = digest.Digest(p.text())
		case "size":
			d.Size = p.number()
		case "annotations":
			p.texts(&d.Annotations)
		case "artifactType":
			d.ArtifactType = string(p.text())
		case "platform":
			p.platform(&d.Platform)
		default:
			p.odd = true
		}
	})
	return d
}

func (p *plain) platform(of **v1.Platform) {
	if *of != nil { // see texts
		p.odd = true
		return
	}
	is := &v1.Platform{}
	*of = is
	p.object(func(key []byte) {
		switch string(key) {
		case "architecture":
			is.Architecture = string(p.text())
		case "os":
			is.OS = string(p.text())
		case "os.version":
			is.OSVersion = string(p.text())
		case "variant":
			is.Variant = string(p.text())
		default:
			p.odd = true
		}
	})
}
