package relay

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// A Pull is an image of the hub that the build has asked for and got.
type Pull struct {
	Repository string // full name
	Tag        string // that was asked for; "" when a digest was
	Digest     string // of the manifest or index
}

// maxPulls bounds what is remembered of one build: images, and manifests of indexes.
const maxPulls = 1000

// pulled takes note of a manifest that the hub has answered with, and of those that it
// names, and leaves the answer as it was.
func (r *Relay) pulled(resp *http.Response) error {
	req := resp.Request
	path := repositoryPath.FindStringSubmatch(req.URL.Path)
	read := req.Method == http.MethodGet || req.Method == http.MethodHead
	made := digest.Digest(resp.Header.Get("Docker-Content-Digest"))
	if !r.config.Tags || !read || path == nil || path[2] != "manifests" || resp.StatusCode != http.StatusOK || made.Validate() != nil {
		return nil
	}
	p := Pull{Repository: path[1], Tag: path[3], Digest: made.String()}
	if digest.Digest(p.Tag).Validate() == nil {
		p.Tag = ""
	}
	var index struct {
		Manifests []struct{ Digest string }
	}
	if req.Method == http.MethodGet && resp.Header.Get("Content-Encoding") == "" {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxManifest))
		if err != nil {
			return err
		}
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
		json.Unmarshal(body, &index) // one that cannot be read names nothing
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pulls) < maxPulls {
		r.pulls[p] = true
	}
	for _, child := range index.Manifests {
		if len(r.children) < maxPulls {
			r.children[Pull{Repository: p.Repository, Digest: child.Digest}] = true
		}
	}
	return nil
}

// Pulled are the images that the build got from the hub, each once; see Config.Tags. What
// it has pushed itself is none of them, nor is a manifest that an index led to.
func (r *Relay) Pulled() (list []Pull) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p := range r.pulls {
		named := Pull{Repository: p.Repository, Digest: p.Digest}
		byTag := p.Tag == "" && r.tagged(named)
		own := p.Repository == r.config.Repository && r.hasPushed(p.Digest)
		if !byTag && !own && (p.Tag != "" || !r.children[named]) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Pull) int {
		return cmp.Or(strings.Compare(a.Repository, b.Repository), strings.Compare(a.Tag, b.Tag), strings.Compare(a.Digest, b.Digest))
	})
	return list
}

// tagged says whether an image was asked for by a tag, too. r.mu is held.
func (r *Relay) tagged(of Pull) bool {
	for p := range r.pulls {
		if p.Tag != "" && p.Repository == of.Repository && p.Digest == of.Digest {
			return true
		}
	}
	return false
}

// hasPushed: r.mu is held.
func (r *Relay) hasPushed(d string) bool {
	for _, pushed := range r.pushed {
		if pushed == d {
			return true
		}
	}
	return false
}
