// Package upload fetches a directory that somebody has pushed to a repository to be built.
package upload

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/buildcontext"
)

// ErrDigest: what the hub has sent is not what was asked for.
var ErrDigest = errors.New("the hub has sent something else than the uploaded directory")

// A Fetcher fetches from one hub.
type Fetcher struct {
	hub    *url.URL
	client *http.Client
}

// New makes a fetcher. trust is for connections to the hub; nil for the system's
// authorities.
func New(hub *url.URL, trust *tls.Config) *Fetcher {
	return &Fetcher{hub: hub, client: &http.Client{
		Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSClientConfig: trust, TLSHandshakeTimeout: 10 * time.Second,
			ResponseHeaderTimeout: time.Minute, IdleConnTimeout: 30 * time.Second, DisableCompression: true},
		// The token goes to the hub alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Fetch writes the files of the directory, which was pushed to the repository as a blob of
// so many bytes, into an empty directory. It is bounded by buildcontext.DefaultLimits. The
// errors are those of buildcontext.Unpack, ErrDigest, or say what the hub has answered;
// after one the directory may have files.
func (f *Fetcher) Fetch(ctx context.Context, token, repository string, d digest.Digest, size int64, dir string) error {
	if d.Validate() != nil || size < 0 || size > buildcontext.MaxFile {
		return fmt.Errorf("%.100q of %d bytes is no uploaded directory", d, size)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.hub.JoinPath("v2", repository, "blobs", d.String()).String(), nil)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return fmt.Errorf("the hub has %s no more: it keeps an upload for a day; send the directory again", d)
	default:
		return fmt.Errorf("the hub answered %s", resp.Status)
	}
	sum := d.Verifier()
	sent := io.TeeReader(io.LimitReader(resp.Body, size+1), sum)
	unpacked := buildcontext.Unpack(sent, dir, buildcontext.DefaultLimits)
	if errors.Is(unpacked, buildcontext.ErrTooLarge) {
		return unpacked
	}
	if _, err := io.Copy(io.Discard, sent); err != nil { // what comes behind the end of the tar file
		return err
	}
	if !sum.Verified() {
		return ErrDigest
	}
	return unpacked
}
