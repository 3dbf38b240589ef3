package registry

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/registry/cache"
)

// maxReferrers is the most entries that one page of referrers has.
const maxReferrers = 1000

// listReferrers answers with an index of what refers to a digest, whether a
// manifest of that digest is there or not (distribution-spec, "Listing Referrers").
func (s *Registry) listReferrers(w http.ResponseWriter, r *http.Request, to route) error {
	d, err := parseDigest(to.ref)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	// A media type has no spaces (RFC 6838, section 4.2): this one is a + that was
	// not escaped, as in application/x+json.
	wanted, last := strings.ReplaceAll(q.Get("artifactType"), " ", "+"), digest.Digest(q.Get("last"))
	if last != "" {
		if last, err = parseDigest(string(last)); err != nil {
			return err
		}
	}
	if !printable(wanted) {
		return badQuery("artifactType")
	}
	filters := ""
	if wanted != "" {
		filters = "artifactType"
	}
	repo, err := s.repository(r.Context(), to.name)
	if isUnknown(err) {
		// A registry that has this API never answers 404 here.
		body, err := encode(referrersIndex(nil))
		if err != nil {
			return err
		}
		return send(w, &cache.List{Body: body, MediaType: v1.MediaTypeImageIndex, Filters: filters})
	}
	if err != nil {
		return err
	}
	return s.cached(w, r, repo.ID, "referrers/"+to.ref, func(ctx context.Context) (*cache.List, error) {
		found, more, err := s.Images.Referrers(ctx, repo.ID, d, wanted, last, maxReferrers)
		if err != nil {
			return nil, err
		}
		l := &cache.List{MediaType: v1.MediaTypeImageIndex, Filters: filters}
		if more {
			next := url.Values{"last": {found[len(found)-1].Digest.String()}}
			if wanted != "" {
				next.Set("artifactType", wanted)
			}
			l.Link = "</v2/" + to.name + "/referrers/" + to.ref + "?" + next.Encode() + `>; rel="next"`
		}
		l.Body, err = encode(referrersIndex(found))
		return l, err
	})
}

func referrersIndex(list []v1.Descriptor) v1.Index {
	if list == nil {
		list = []v1.Descriptor{}
	}
	index := v1.Index{MediaType: v1.MediaTypeImageIndex, Manifests: list}
	index.SchemaVersion = 2
	return index
}
