package hoststatus

import "net/http"

// SetTransport lets a test choose where connections lead.
func (c *Client) SetTransport(t http.RoundTripper) { c.http.Transport = t }
