package registry

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/bodies"
	"hubledger/services/registry/manifest"
)

// A pushRequest is a manifest that somebody wants to push, as it was sent. It
// does not change; what the steps of a push find out is in a pushCheck.
type pushRequest struct {
	by        command.By
	name      repository.Name
	digest    digest.Digest
	mediaType string
	bytes     []byte
	manifest  *images.Manifest // read from bytes
	// tags is one entry for each event that the push makes: a tag, or "" for the
	// manifest by its digest alone.
	tags []string
	// tagsInQuery says that the tags were given as ?tag= beside a digest.
	tagsInQuery bool
	// into is the id of the repository that the push of the hub's own is for; "" for
	// that of the name, which is created if need be and has to have room.
	into string
}

// maxTags bounds the tags of one request: each is an event.
const maxTags = 50

// readPush reads the request and checks what can be checked without looking
// anything up.
func readPush(w http.ResponseWriter, r *http.Request, to route) (*pushRequest, error) {
	name, err := repository.ParseName(to.name)
	if err != nil {
		return nil, err
	}
	p := &pushRequest{by: by(to.who), name: name}
	if p.digest, p.tags, p.tagsInQuery, err = pushedAs(r, to.ref); err != nil {
		return nil, err
	}
	if p.bytes, err = readManifest(w, r); err != nil {
		return nil, err
	}
	if p.digest == "" {
		p.digest = digest.SHA256.FromBytes(p.bytes)
	} else if p.digest.Algorithm().FromBytes(p.bytes) != p.digest {
		return nil, fail(http.StatusBadRequest, "DIGEST_INVALID", "the manifest does not have the digest it was pushed by")
	}
	p.manifest, p.mediaType, err = manifest.Read(p.bytes, r.Header.Get("Content-Type"))
	return p, err
}

// pushedAs reads the reference in the path: a tag, or a digest with any number
// of tags beside it. A push by tag has no digest yet.
func pushedAs(r *http.Request, ref string) (d digest.Digest, tags []string, tagsInQuery bool, err error) {
	if !isDigest(ref) {
		return "", []string{ref}, false, repository.CheckTag(ref)
	}
	if d, err = parseDigest(ref); err != nil {
		return "", nil, false, err
	}
	if r.URL.RawQuery != "" {
		tags = r.URL.Query()["tag"]
	}
	if len(tags) == 0 {
		return d, []string{""}, false, nil
	}
	if len(tags) > maxTags {
		return "", nil, false, manifestInvalid(fmt.Sprintf("a push has at most %d tags", maxTags))
	}
	for _, tag := range tags {
		if err := repository.CheckTag(tag); err != nil {
			return "", nil, false, err
		}
	}
	return d, tags, true, nil
}

// manifestCost is how many times its size a manifest takes in memory on its way
// into the log and out of it.
const manifestCost = 6

func readManifest(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	tooLarge := fail(http.StatusRequestEntityTooLarge, "MANIFEST_INVALID", fmt.Sprintf("a manifest has at most %d bytes", manifest.MaxSize))
	if r.ContentLength > manifest.MaxSize {
		return nil, tooLarge
	}
	size := r.ContentLength
	if size < 0 {
		size = manifest.MaxSize
	}
	if err := budget.Of(r.Context()).Hold(size); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, bodies.WholeOf(w, r), manifest.MaxSize))
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return nil, tooLarge
	}
	if err != nil {
		return nil, manifestInvalid("the request ended before the manifest did")
	}
	return body, budget.Of(r.Context()).Hold((manifestCost - 1) * int64(len(body)))
}
