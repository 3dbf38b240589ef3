package image

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// An Artifact is something that the hub says of an image, kept beside it as a referrer
// (image-spec 1.1, "Guidelines for Artifact Usage").
type Artifact struct {
	Type        string // media type of the content and of the artifact
	Content     []byte
	Annotations map[string]string
}

// Manifest is that of the artifact, for an image. The same artifact of the same image
// has the same bytes.
func (a Artifact) Manifest(of v1.Descriptor) ([]byte, error) {
	if a.Type == "" || len(a.Content) == 0 {
		return nil, errors.New("an artifact has a type and a content")
	}
	m := v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest, ArtifactType: a.Type,
		Config: v1.DescriptorEmptyJSON, Subject: &v1.Descriptor{MediaType: of.MediaType, Digest: of.Digest, Size: of.Size}, Annotations: a.Annotations,
		Layers: []v1.Descriptor{{MediaType: a.Type, Digest: digest.FromBytes(a.Content), Size: int64(len(a.Content))}}}
	m.Config.Data = nil
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write the manifest of an artifact: %w", err)
	}
	return text, nil
}
