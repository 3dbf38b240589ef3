package cmd

import (
	"cmp"
	"fmt"
	"net/url"
	"testing"
	"time"

	"hubledger/services/registry/registrytest"
)

// A normalClient pushes, pulls and lists as alice, and wants every request to succeed.
type normalClient struct {
	t        *testing.T
	registry *registrytest.Client
	images   int
	took     []time.Duration
}

func newNormalClient(t *testing.T, h *hubProcess, alice person) *normalClient {
	c := registrytest.NewClient(asURL(h, alice))
	t.Cleanup(c.Close)
	return &normalClient{t: t, registry: c}
}

// work works for some time and returns how long each request took.
func (c *normalClient) work(during time.Duration) []time.Duration {
	c.took = nil
	for end := time.Now().Add(during); time.Now().Before(end) && !c.t.Failed(); time.Sleep(20 * time.Millisecond) {
		c.images++
		layer := fmt.Sprint("layer ", c.images)
		image, tag := registrytest.NewImage(layer), fmt.Sprint("v", c.images%50)
		c.wants(200, "GET", "/token?service=hub&scope=repository:alice/app:pull,push", nil)
		for _, content := range image.Blobs {
			c.wants(201, "POST", "/v2/alice/app/blobs/uploads/?digest="+url.QueryEscape(string(registrytest.Sum(content))), []byte(content),
				"Content-Type", "application/octet-stream")
		}
		c.wants(201, "PUT", "/v2/alice/app/manifests/"+tag, image.Manifest, "Content-Type", cmp.Or(image.MediaType, manifestType))
		c.wants(200, "HEAD", "/v2/alice/app/manifests/"+tag, nil)
		c.wants(200, "GET", "/v2/alice/app/manifests/"+tag, nil)
		c.wants(200, "GET", "/v2/alice/app/manifests/"+image.Digest().String(), nil)
		c.wants(200, "GET", "/v2/alice/app/blobs/"+string(registrytest.Sum(layer)), nil)
		c.wants(200, "GET", "/v2/alice/app/tags/list", nil)
		c.wants(200, "GET", "/api/v1/search?q=app", nil)
	}
	return c.took
}

// wants makes a request that succeeds with a status. When the hub asks to try
// again, it does, as clients do; the pauses count as time that the request took.
func (c *normalClient) wants(status int, method, path string, body []byte, header ...string) {
	begun := time.Now()
	a, err := c.registry.Do(method, path, body, header...)
	for tries := 0; err == nil && (a.Status == 429 || a.Status == 503) && a.Header.Get("Retry-After") != "" && tries < 10; tries++ {
		time.Sleep(time.Second)
		a, err = c.registry.Do(method, path, body, header...)
	}
	c.took = append(c.took, time.Since(begun))
	if err != nil {
		c.t.Errorf("%s %s: %v", method, path, err)
	} else if a.Status != status {
		c.t.Errorf("%s %s: %d %s", method, path, a.Status, a.Body)
	}
}
