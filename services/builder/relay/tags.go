package relay

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Bounds of pushes by tag, of one build.
const (
	maxManifest = 4 << 20 // bytes; the hub takes no larger ones
	maxTags     = 100
)

var tagPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// byTag serves requests for a manifest of the build's own repository by a tag: a push
// becomes one by digest, and from then on the build reads that under the tag. The
// hub sees no tag. It says whether it has served the request.
func (r *Relay) byTag(w http.ResponseWriter, req *http.Request, tag string, next http.Handler) bool {
	if !r.config.Tags || !tagPattern.MatchString(tag) || req.URL.Query().Has("tag") {
		return false
	}
	if req.Method != http.MethodPut {
		pushed, ok := r.Pushed()[tag]
		if ok {
			next.ServeHTTP(w, withReference(req, pushed))
		}
		return ok
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, maxManifest+1))
	switch {
	case err != nil:
		http.Error(w, "the manifest did not come whole", http.StatusBadRequest)
		return true
	case len(body) > maxManifest:
		refuse(w, "a manifest has at most 4 MiB")
		return true
	case !r.mayTag(tag):
		refuse(w, "a build pushes at most 100 tags")
		return true
	}
	d := digest.FromBytes(body).String()
	to := withReference(req, d)
	to.Body, to.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	next.ServeHTTP(&created{w, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.pushed[tag] = d
	}}, to)
	return true
}

// withReference is a request for another manifest of the same repository.
func withReference(req *http.Request, reference string) *http.Request {
	to := req.Clone(req.Context())
	to.URL.Path = to.URL.Path[:strings.LastIndexByte(to.URL.Path, '/')+1] + reference
	return to
}

func (r *Relay) mayTag(tag string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.pushed[tag]
	return known || len(r.pushed) < maxTags
}

// Pushed are the tags that the build has pushed, with their digests; see Config.Tags.
func (r *Relay) Pushed() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.pushed)
}

// A created calls then before it answers that something was created.
type created struct {
	http.ResponseWriter
	then func()
}

func (c *created) WriteHeader(code int) {
	if code == http.StatusCreated {
		c.then()
	}
	c.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController.
func (c *created) Unwrap() http.ResponseWriter { return c.ResponseWriter }
