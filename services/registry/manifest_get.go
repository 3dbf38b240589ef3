package registry

import (
	"net/http"
	"strconv"
	"strings"

	"hubledger/projections/images"
)

// A manifest as it is served, with its header values made once.
type manifest struct {
	digest    string
	mediaType string
	bytes     []byte

	digestHeader, etagHeader, typeHeader, lengthHeader []string
}

func newManifest(m *images.Stored) *manifest {
	d := m.Digest.String()
	return &manifest{
		digest: d, mediaType: m.MediaType, bytes: m.Bytes,
		digestHeader: []string{d}, etagHeader: []string{`"` + d + `"`},
		typeHeader: []string{m.MediaType}, lengthHeader: []string{strconv.Itoa(len(m.Bytes))},
	}
}

// cost is what the manifest takes in the cache, in bytes.
func (m *manifest) cost() int { return len(m.bytes) + 200 }

// getManifest serves GET and HEAD (distribution-spec, "Pulling manifests").
func (s *Registry) getManifest(w http.ResponseWriter, r *http.Request, to route) error {
	repo, err := s.repository(r.Context(), to.name)
	if err != nil {
		return err
	}
	m, err := s.manifest(r.Context(), repo, to.ref)
	if err != nil {
		return err
	}
	h := w.Header()
	if s.limiter != nil {
		if err := s.limiter.pull(h, r, to.who); err != nil {
			return err
		}
	}
	h["Docker-Content-Digest"] = m.digestHeader
	h["Etag"] = m.etagHeader
	if match := r.Header["If-None-Match"]; match != nil && matches(match, m.digest) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h["Content-Type"] = m.typeHeader
	h["Content-Length"] = m.lengthHeader
	if r.Method == http.MethodHead {
		s.served.asked(repo.ID, to.ref)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	s.served.count(repo.ID, to.ref)
	_, err = w.Write(m.bytes)
	return ignoreGone(err)
}

// matches reads If-None-Match (RFC 9110, section 13.1.2). A digest says all of
// the content, so weak and strong comparison are the same.
func matches(headers []string, digest string) bool {
	for _, header := range headers {
		for tag := range strings.SplitSeq(header, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == "*" || strings.Trim(tag, `"`) == digest {
				return true
			}
		}
	}
	return false
}

// ignoreGone: when the answer has begun, a client that went away is its own affair.
func ignoreGone(error) error { return nil }
