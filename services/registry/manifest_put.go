package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/leases"
)

// putManifest is a push (distribution-spec, "Pushing Manifests"). When it
// answers 201, the manifest's event and every blob it names are on disk.
func (s *Registry) putManifest(w http.ResponseWriter, r *http.Request, to route) error {
	name, err := repository.ParseName(to.name)
	if err != nil {
		return err
	}
	push, err := readPush(w, r, to.ref)
	if err != nil {
		return err
	}
	needs, err := s.check(r.Context(), name.Full, push)
	if err != nil {
		return err
	}
	if err := s.accept(r.Context(), to.who, name, push, needs); err != nil {
		return err
	}
	h := w.Header()
	for _, tag := range push.more {
		h.Add("OCI-Tag", tag)
	}
	h.Set("Location", "/v2/"+to.name+"/manifests/"+push.Digest.String())
	h.Set("Docker-Content-Digest", push.Digest.String())
	if push.parsed.Subject != nil {
		h.Set("OCI-Subject", push.parsed.Subject.Digest.String())
	}
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	s.Metrics.Pushes.Inc()
	s.Logger.Debug("pushed", "repository", name.Full, "reference", to.ref, "digest", push.Digest)
	return nil
}

// accept pins what the manifest needs, makes it durable and records the push.
// An index brings back what it names, so the blobs of its manifests are pinned
// as well, and looked for only then.
func (s *Registry) accept(ctx context.Context, who access.Principal, name repository.Name, p *push, needs []v1.Descriptor) (err error) {
	ctx, cancel := s.decision(ctx)
	defer cancel()
	below, err := s.childBlobs(ctx, name.Full, p)
	if err != nil {
		return err
	}
	pin, err := s.pin(ctx, needs, below)
	if err != nil {
		return err
	}
	defer s.unpin(pin, &err)
	if len(p.parsed.Manifests) > 0 {
		if missing, err := s.checkChildren(ctx, name.Full, p); err != nil {
			return err
		} else if len(missing) > 0 {
			return missing
		}
	}
	if err := s.Blobs.Sync(ctx, digestsOf(needs)...); err != nil {
		return fmt.Errorf("make the blobs of %s durable: %w", p.Digest, err)
	}
	p.Platform, p.Created = s.describe(ctx, p.parsed)
	return s.record(ctx, who, name, p)
}

// decisionTime bounds a decision once it has begun.
const decisionTime = time.Minute

// decision is the context of what is finished once it has begun, whether the
// client still waits or not: an append that is broken off may be in the log.
func (s *Registry) decision(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), decisionTime)
}

// unpin ends a pin, unless nobody knows whether its event is in the log: then
// the pin holds to its term.
func (s *Registry) unpin(pin leases.Pin, err *error) {
	if !errors.Is(*err, events.ErrUncertain) {
		s.Leases.Unpin(pin)
	}
}

// A push is the event to be and the manifest read from it.
type push struct {
	events.ImagePushed
	parsed *images.Manifest
	more   []string // tags given beside a digest; each is a push of its own
}

// maxTags and maxTagBytes bound the tags of one request: each is an event with
// the manifest in it.
const (
	maxTags     = 50
	maxTagBytes = 4 * MaxManifestSize
)

// readPush reads and judges the request by itself, before anything is looked up.
func readPush(w http.ResponseWriter, r *http.Request, ref string) (*push, error) {
	p := &push{}
	if isDigest(ref) {
		d, err := parseDigest(ref)
		if err != nil {
			return nil, err
		}
		p.Digest = d
		if r.URL.RawQuery != "" {
			p.more = r.URL.Query()["tag"]
		}
		if len(p.more) > maxTags {
			return nil, manifestInvalid(fmt.Sprintf("a push has at most %d tags", maxTags))
		}
		for _, tag := range p.more {
			if err := repository.CheckTag(tag); err != nil {
				return nil, err
			}
		}
	} else {
		if err := repository.CheckTag(ref); err != nil {
			return nil, err
		}
		p.Tag = ref
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	p.Manifest = body
	if len(body)*len(p.more) > maxTagBytes {
		return nil, fail(http.StatusBadRequest, "TAG_INVALID", "too many tags for a manifest of this size: push them one by one")
	}
	if p.Tag != "" {
		p.Digest = digest.SHA256.FromBytes(body)
	} else if p.Digest.Algorithm().FromBytes(body) != p.Digest {
		return nil, fail(http.StatusBadRequest, "DIGEST_INVALID", "the manifest does not have the digest it was pushed by")
	}
	if p.parsed, err = images.ParseManifest(body); err != nil {
		return nil, manifestInvalid(err.Error())
	}
	if p.MediaType, err = mediaType(r.Header.Get("Content-Type"), p.parsed); err != nil {
		return nil, err
	}
	return p, validate(p.MediaType, p.parsed)
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	tooLarge := fail(http.StatusRequestEntityTooLarge, "MANIFEST_INVALID", fmt.Sprintf("a manifest has at most %d bytes", MaxManifestSize))
	if r.ContentLength > MaxManifestSize {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, progress(w, r), MaxManifestSize))
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return nil, tooLarge
	}
	if err != nil {
		return nil, manifestInvalid("the request ended before the manifest did")
	}
	return body, nil
}

// mediaType is the manifest's: what the request says, which must agree with
// what the manifest says, if that says anything (image-spec, "Image Manifest").
func mediaType(header string, m *images.Manifest) (string, error) {
	if header == "" {
		if m.MediaType != "" {
			return m.MediaType, nil
		}
		return "", manifestInvalid("a manifest needs a Content-Type")
	}
	t, _, err := mime.ParseMediaType(header)
	if err != nil {
		return "", manifestInvalid("the Content-Type cannot be read")
	}
	if m.MediaType != "" && m.MediaType != t {
		return "", manifestInvalid(fmt.Sprintf("the Content-Type is %s, but the manifest says %s", t, m.MediaType))
	}
	return t, nil
}

func isNotFound(err error) bool {
	var p *problem
	return errors.As(err, &p) && p.Status == http.StatusNotFound
}

// pin keeps the blobs from being collected until the event is projected. A
// blob on its way out is gone by the time it can be pinned: its pusher is told.
func (s *Registry) pin(ctx context.Context, needs []v1.Descriptor, below []digest.Digest) (leases.Pin, error) {
	ds := append(digestsOf(needs), below...)
	for {
		pin, err := s.Leases.Pin(ctx, ds...)
		var leaving *leases.LeavingError
		if errors.As(err, &leaving) {
			for _, d := range leaving.Digests {
				if err := s.Leases.WaitCleared(ctx, d); err != nil {
					return pin, err
				}
			}
			continue
		}
		if err != nil {
			return pin, err
		}
		for _, d := range needs {
			if size, err := s.Blobs.Stat(ctx, d.Digest); err != nil || size != d.Size {
				s.Leases.Unpin(pin)
				return pin, fail(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN",
					"a blob of the manifest is not there any more").with(map[string]string{"digest": d.Digest.String()})
			}
		}
		return pin, nil
	}
}

func digestsOf(list []v1.Descriptor) []digest.Digest {
	ds := make([]digest.Digest, len(list))
	for k := range list {
		ds[k] = list[k].Digest
	}
	return ds
}
