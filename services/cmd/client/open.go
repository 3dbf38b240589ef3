package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Open sends a GET request to /api/v1 and returns its answer, of any length, to be read and
// closed. A refusal is an *Error.
func (c *Client) Open(ctx context.Context, path string, query url.Values) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", c.base+"/api/v1"+path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	if c.authorize != nil {
		c.authorize(req)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, c.unreached(ctx, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("the hub's answer broke off: %w", err)
	}
	return nil, c.refused(resp, raw)
}
