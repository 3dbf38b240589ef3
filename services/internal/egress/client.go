package egress

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// maxRedirects is how often an answer may lead elsewhere.
const maxRedirects = 5

// NewClient is an HTTP client whose connections the guard judges, those after a
// redirect too. It takes no proxy from the environment, which would look names up
// in its stead. A redirect never leads from HTTPS to HTTP, and credentials are not
// sent to another host or port than the first.
func (g *Guard) NewClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            g.DialContext,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
			TLSHandshakeTimeout:    dialTimeout,
			ResponseHeaderTimeout:  30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			switch {
			case len(via) > maxRedirects:
				return fmt.Errorf("more than %d redirects", maxRedirects)
			case via[0].URL.Scheme == "https" && r.URL.Scheme != "https":
				return errors.New("it redirects from HTTPS to " + r.URL.Scheme)
			}
			if r.URL.Host != via[0].URL.Host || r.URL.Scheme != via[0].URL.Scheme {
				r.Header.Del("Authorization")
			}
			return nil
		},
	}
}
