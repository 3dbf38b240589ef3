package registry_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/registrytest"
)

// churnImages is how many different images there are: few enough that each
// comes again after it was collected.
const churnImages = 600

// churnImage is one of them; a layer is in several.
func churnImage(n int) *registrytest.Image {
	layer := func(n int) string { return fmt.Sprintf("layer %d %s", n, strings.Repeat("x", n%5*1000)) }
	return registrytest.NewImage(layer(n), layer((n*7+1)%churnImages))
}

// A churnClient owns a repository: nobody else deletes there. In the shared
// one everybody does.
type churnClient struct {
	*registrytest.Client
	h            *registrytest.Hub
	stats        *churnStats
	repo, others string
	rng          *rand.Rand
	live         []*registrytest.Image
	rounds       int
}

const churnShared = "shared/app"

// round does one thing. What may go wrong without anybody's fault is no error.
func (c *churnClient) round() error {
	c.rounds++
	switch n := c.rng.IntN(100); {
	case n < 40 && len(c.live) < 8:
		img := churnImage(c.rng.IntN(churnImages))
		if err := c.push(c.repo, fmt.Sprint("t", c.rounds), img); err != nil {
			return err
		}
		c.keep(img)
	case n < 55:
		return c.shared()
	case n < 60: // an upload that comes to nothing
		return c.upload(c.repo, churnImage(c.rng.IntN(churnImages)).Blobs[1])
	case len(c.live) == 0:
	case n < 75:
		c.stats.do(func() { c.stats.pulls++ })
		img := c.live[c.rng.IntN(len(c.live))]
		if _, err := c.Pull(c.repo, img.Digest().String()); err != nil {
			return fmt.Errorf("an image that nobody deleted is broken: %w", err)
		}
	case n < 80:
		return c.undo()
	default:
		_, err := c.remove()
		return err
	}
	return nil
}

func (c *churnClient) keep(img *registrytest.Image) {
	for _, l := range c.live {
		if l.Digest() == img.Digest() {
			return
		}
	}
	c.live = append(c.live, img)
}

// push keeps to the protocol: it asks for each blob, mounts or uploads what is
// missing, and pushes the manifest. Having seen a blob holds for half a lease
// term; a push that took longer has no claim.
func (c *churnClient) push(repo, ref string, img *registrytest.Image) error {
	begun := time.Now()
	err := c.tryPush(repo, ref, img)
	late := time.Since(begun) > soakTerm/2
	c.stats.do(func() {
		c.stats.pushes++
		if late {
			c.stats.late++
		}
	})
	if late && registrytest.Refused(err) == 400 {
		return c.push(repo, ref, img)
	}
	return err
}

func (c *churnClient) tryPush(repo, ref string, img *registrytest.Image) error {
	for _, content := range img.Blobs {
		has, err := c.HasBlob(repo, registrytest.Sum(content))
		if err == nil && !has {
			err = c.upload(repo, content)
		}
		if err != nil {
			return err
		}
	}
	_, err := c.PutManifest(repo, ref, img)
	return err
}

// upload mounts the blob from another client's repository or from anywhere, if
// that is possible, or uploads it.
func (c *churnClient) upload(repo, content string) error {
	d := registrytest.Sum(content)
	query := "?mount=" + d.String()
	if c.rng.IntN(2) == 0 {
		query += "&from=" + c.others
	}
	a, err := c.Do("POST", "/v2/"+repo+"/blobs/uploads/"+query, nil)
	if err != nil {
		return err
	}
	if a.Status == 201 {
		c.stats.do(func() { c.stats.mounts++ })
		return nil
	}
	if err := a.Is(202); err != nil {
		return err
	}
	a, err = c.Do("PUT", a.Header.Get("Location")+"?digest="+d.String(), []byte(content))
	if err != nil {
		return err
	}
	c.stats.do(func() {
		if c.stats.gone[d] {
			c.stats.again[d] = true
		}
	})
	return a.Is(201)
}

// remove deletes one of the client's own images.
func (c *churnClient) remove() (*registrytest.Image, error) {
	k := c.rng.IntN(len(c.live))
	img := c.live[k]
	c.live = append(c.live[:k], c.live[k+1:]...)
	c.stats.do(func() { c.stats.deletes++ })
	a, err := c.Do("DELETE", "/v2/"+c.repo+"/manifests/"+img.Digest().String(), nil)
	if err != nil {
		return nil, err
	}
	return img, a.Is(202)
}

// undo deletes an image and brings it back: within the window that works.
func (c *churnClient) undo() error {
	begun := time.Now()
	img, err := c.remove()
	if err != nil {
		return err
	}
	_, err = c.h.Registry.RestoreManifest(c.h.T.Context(), registrytest.By, c.repo, img.Digest())
	if err == nil {
		c.keep(img)
	} else if time.Since(begun) > soakWindow {
		return nil // too late
	}
	return err
}

// shared pushes to a repository in which others delete at the same time.
func (c *churnClient) shared() error {
	img := churnImage(c.rng.IntN(20))
	if c.rng.IntN(2) == 0 {
		return c.push(churnShared, "latest", img)
	}
	a, err := c.Do("DELETE", "/v2/"+churnShared+"/manifests/"+img.Digest().String(), nil)
	if err == nil && a.Status != 404 {
		err = a.Is(202)
	}
	return err
}

// pullAll checks every image that the client has not deleted.
func (c *churnClient) pullAll() error {
	for _, img := range c.live {
		if _, err := c.Pull(c.repo, img.Digest().String()); err != nil {
			return fmt.Errorf("%s: an image that nobody deleted is broken: %w", c.repo, err)
		}
	}
	return nil
}

// blobAt is the digest of the blob that has that path in the store.
func blobAt(path string) (digest.Digest, bool) {
	dir, name := filepath.Split(path)
	if !strings.HasSuffix(dir, "/blobs/sha256/") {
		return "", false
	}
	return digest.NewDigestFromEncoded(digest.SHA256, name), true
}
