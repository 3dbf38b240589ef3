package registrytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// An Image is what one push consists of.
type Image struct {
	MediaType string
	Manifest  []byte
	Blobs     []string // contents
}

// Digest is that of the manifest.
func (i *Image) Digest() digest.Digest { return digest.FromBytes(i.Manifest) }

// Descriptor names the image in an index.
func (i *Image) Descriptor() v1.Descriptor {
	return v1.Descriptor{MediaType: i.MediaType, Digest: i.Digest(), Size: int64(len(i.Manifest))}
}

// Layer describes content as a layer.
func Layer(content string) v1.Descriptor {
	return v1.Descriptor{MediaType: v1.MediaTypeImageLayer, Digest: Sum(content), Size: int64(len(content))}
}

// NewImage makes an image of these layers; its config holds them too, so that
// it is the image's own.
func NewImage(layers ...string) *Image { return With(nil, layers...) }

// With is NewImage with a manifest that edit has changed.
func With(edit func(*v1.Manifest), layers ...string) *Image {
	config := fmt.Sprintf(`{"os":"linux","architecture":"amd64","config":{"Cmd":%q}}`, layers)
	m := v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest, Config: Layer(config), Layers: []v1.Descriptor{}}
	m.Config.MediaType = v1.MediaTypeImageConfig
	for _, content := range layers {
		m.Layers = append(m.Layers, Layer(content))
	}
	if edit != nil {
		edit(&m)
	}
	return &Image{m.MediaType, JSON(m), append([]string{config}, layers...)}
}

// NewIndex makes an index of images.
func NewIndex(images ...*Image) *Image {
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{}}
	for _, i := range images {
		index.Manifests = append(index.Manifests, i.Descriptor())
	}
	return &Image{index.MediaType, JSON(index), nil}
}

// JSON encodes what cannot fail to be encoded.
func JSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

// PushBlob uploads content as docker does, by POST and PUT.
func (c *Client) PushBlob(repo, content string) error {
	a, err := c.Do("POST", "/v2/"+repo+"/blobs/uploads/", nil)
	if err != nil {
		return err
	}
	if err := a.Is(http.StatusAccepted); err != nil {
		return err
	}
	a, err = c.Do("PUT", a.Header.Get("Location")+"?digest="+Sum(content).String(), []byte(content))
	if err != nil {
		return err
	}
	return a.Is(http.StatusCreated)
}

// HasBlob asks by HEAD, as clients do before they upload.
func (c *Client) HasBlob(repo string, d digest.Digest) (bool, error) {
	a, err := c.Do("HEAD", "/v2/"+repo+"/blobs/"+d.String(), nil)
	if err != nil || a.Status == http.StatusNotFound {
		return false, err
	}
	return true, a.Is(http.StatusOK)
}

// PutManifest pushes the manifest alone, by a tag or, with an empty ref, its digest.
func (c *Client) PutManifest(repo, ref string, i *Image) (*Answer, error) {
	if ref == "" {
		ref = i.Digest().String()
	}
	a, err := c.Do("PUT", "/v2/"+repo+"/manifests/"+ref, i.Manifest, "Content-Type", i.MediaType)
	if err != nil {
		return nil, err
	}
	return a, a.Is(http.StatusCreated)
}

// Push pushes an image as a client does: blobs that are not there yet, then
// the manifest.
func (c *Client) Push(repo, ref string, i *Image) error {
	for _, content := range i.Blobs {
		has, err := c.HasBlob(repo, Sum(content))
		if err == nil && !has {
			err = c.PushBlob(repo, content)
		}
		if err != nil {
			return err
		}
	}
	_, err := c.PutManifest(repo, ref, i)
	return err
}

// MustPush ends a test when a push fails.
func (c *Client) MustPush(t testing.TB, repo, ref string, i *Image) *Image {
	t.Helper()
	if err := c.Push(repo, ref, i); err != nil {
		t.Fatal(err)
	}
	return i
}

// Pull fetches a manifest and all that it names, and checks every digest. It
// returns the manifest's digest.
func (c *Client) Pull(repo, ref string) (digest.Digest, error) {
	a, err := c.Do("GET", "/v2/"+repo+"/manifests/"+ref, nil)
	if err != nil {
		return "", err
	}
	if err := a.Is(http.StatusOK); err != nil {
		return "", err
	}
	d := digest.FromBytes(a.Body)
	if got := a.Header.Get("Docker-Content-Digest"); got != d.String() {
		return "", fmt.Errorf("%s: the manifest is %s, but its header says %s", a.Request, d, got)
	}
	var m struct {
		Config            *v1.Descriptor
		Layers, Manifests []v1.Descriptor
	}
	if err := json.Unmarshal(a.Body, &m); err != nil {
		return "", err
	}
	for _, child := range m.Manifests {
		if _, err := c.Pull(repo, child.Digest.String()); err != nil {
			return d, fmt.Errorf("child of %s: %w", d, err)
		}
	}
	if m.Config != nil {
		m.Layers = append(m.Layers, *m.Config)
	}
	for _, blob := range m.Layers {
		if err := c.PullBlob(repo, blob.Digest); err != nil {
			return d, fmt.Errorf("blob of %s: %w", d, err)
		}
	}
	return d, nil
}

// PullBlob fetches a blob and checks its digest.
func (c *Client) PullBlob(repo string, d digest.Digest) error {
	a, err := c.Do("GET", "/v2/"+repo+"/blobs/"+d.String(), nil)
	if err != nil {
		return err
	}
	if err := a.Is(http.StatusOK); err != nil {
		return err
	}
	if got := d.Algorithm().FromBytes(a.Body); got != d {
		return fmt.Errorf("%s: the content is %s", a.Request, got)
	}
	return nil
}
