package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// HasBlob says whether a repository has a blob for some hours more.
func (c *Client) HasBlob(ctx context.Context, repository, digest string) (bool, error) {
	resp, err := c.registry(ctx, http.MethodHead, repository, "/blobs/"+digest, nil, 0)
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusNotFound:
		return false, nil
	}
	return false, c.refused(resp, nil)
}

// PushBlob sends a blob of so many bytes to a repository, which keeps it for a day. A
// refusal is an *Error.
func (c *Client) PushBlob(ctx context.Context, repository, digest string, size int64, content io.Reader) error {
	resp, err := c.registry(ctx, http.MethodPost, repository, "/blobs/uploads/?digest="+url.QueryEscape(digest), content, size)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("the hub's answer broke off: %w", err)
	}
	if resp.StatusCode >= 300 {
		return c.refused(resp, raw)
	}
	return nil
}

// registry sends a request about a repository to the registry of the hub.
func (c *Client) registry(ctx context.Context, method, repository, path string, content io.Reader, size int64) (*http.Response, error) {
	if !strings.Contains(repository, "/") {
		repository = topLevel + repository
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/v2/"+repository+path, content)
	if err != nil {
		return nil, err
	}
	if content != nil {
		req.ContentLength = size
		req.Header.Set("Content-Type", "application/octet-stream")
		req.Header.Set("Expect", "100-continue") // what is refused is not sent
	}
	if c.authorize != nil {
		c.authorize(req)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, c.unreached(ctx, err)
	}
	return resp, nil
}
