package projectiontest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
)

// A hub makes a random history of the registry: what many clients at once
// could have done. Each aggregate's events are ones that its services could
// have decided; between aggregates anything goes, as when a push and the
// deletion of its repository race.
type hub struct {
	rng   *rand.Rand
	log   *Log
	now   time.Time
	repos []*hubRepo
	large int // manifests of 4 MiB still to be pushed
}

type hubRepo struct {
	namespace, id, name string
	deleted             bool
	manifests           []hubManifest
	tags                map[string]*hubTag
	deletions           map[digest.Digest]uint64 // those not undone
}

type hubManifest struct {
	digest    digest.Digest
	mediaType string
	bytes     []byte
}

type hubTag struct {
	digest  digest.Digest
	deleted bool
}

// Hub is a random history of n events of the registry's types, with NUL in
// texts, identical pushes, indexes, referrers, deletions, undoing, revival,
// and large manifests of 4 MiB.
func Hub(rng *rand.Rand, n, large int) *Log {
	h := &hub{rng: rng, log: &Log{}, now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), large: large}
	h.repository()
	ctx := context.Background()
	for last, _ := h.log.LastSeq(ctx); last < uint64(n); last, _ = h.log.LastSeq(ctx) {
		h.step()
	}
	return h.log
}

func (h *hub) append(p events.Payload) uint64 {
	h.now = h.now.Add(time.Duration(h.rng.IntN(2_000_000)) * time.Microsecond)
	e, err := events.New(p, events.Meta{ID: h.id(), Source: "/registry", Actor: pick(h.rng, "anonymous", "alice", "nul\x00actor")})
	if err != nil {
		panic(err)
	}
	e.Set(events.AttrTime, h.now.Format(events.TimeLayout))
	return h.log.Append(e)
}

func (h *hub) id() string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(h.rng.IntN(256))
	}
	id[6], id[8] = 0x70|id[6]&0x0f, 0x80|id[8]&0x3f
	return id.String()
}

func (h *hub) step() {
	r := h.repos[h.rng.IntN(len(h.repos))]
	switch h.rng.IntN(24) {
	case 0:
		h.repository()
	case 1:
		h.deleteOrRestore(r)
	case 2:
		h.append(events.RepositoryPolicyChanged{Namespace: r.namespace, Repository: r.id, Name: r.name,
			Policy: events.RepositoryPolicy{SparseIndexes: h.rng.IntN(2) == 0, ImmutableTags: []string{pick(h.rng, "v.*", "nul\x00inside")}}})
		h.append(events.RepositoryVisibilityChanged{Namespace: r.namespace, Repository: r.id, Name: r.name, Visibility: pick(h.rng, events.Public, events.Private)})
	case 3, 4, 5:
		h.tagDeletedOrRestored(r)
	case 6, 7:
		h.deleteManifest(r)
	case 8, 9:
		h.restoreManifest(r)
	case 10:
		h.append(events.BlobsSwept{Blobs: []events.SweptBlob{{Digest: h.blob().Digest, Size: 7}, {Digest: h.blob().Digest, Size: 9}}})
	case 11:
		h.append(events.PullsCounted{Node: "n1", From: h.now.Truncate(time.Hour), Repositories: []events.RepositoryPulls{{Repository: r.id, Pulls: 3,
			LastPulled: h.now, Tags: []events.TagPulls{{Tag: "latest", Pulls: 2, LastPulled: h.now}}}}})
	case 12, 13, 14:
		if len(r.manifests) > 0 { // the same image again, often under another tag
			h.push(r, r.manifests[h.rng.IntN(len(r.manifests))])
		}
	default:
		h.push(r, h.manifest(r))
	}
}

// repository creates one, in a new namespace or one that is there, and also
// again under the name of one that was deleted.
func (h *hub) repository() {
	r := &hubRepo{id: h.id(), tags: map[string]*hubTag{}, deletions: map[digest.Digest]uint64{}}
	if len(h.repos) > 0 && h.rng.IntN(2) == 0 {
		old := h.repos[h.rng.IntN(len(h.repos))]
		r.namespace = old.namespace
		r.name = fmt.Sprintf("%s/r%d", strings.Split(old.name, "/")[0], len(h.repos))
		if old.deleted {
			r.name = old.name
			for _, other := range h.repos {
				if other.name == r.name && !other.deleted {
					return
				}
			}
		}
	} else {
		r.namespace, r.name = h.id(), fmt.Sprintf("ns%d/app", len(h.repos))
		h.append(events.NamespaceCreated{Namespace: r.namespace, Name: strings.Split(r.name, "/")[0]})
	}
	h.append(events.RepositoryCreated{Namespace: r.namespace, Repository: r.id, Name: r.name, Visibility: pick(h.rng, "", events.Public, events.Private)})
	h.repos = append(h.repos, r)
}

func (h *hub) deleteOrRestore(r *hubRepo) {
	if !r.deleted {
		h.append(events.RepositoryDeleted{Namespace: r.namespace, Repository: r.id, Name: r.name})
		r.deleted = true
		return
	}
	for _, other := range h.repos {
		if other.name == r.name && !other.deleted {
			return
		}
	}
	h.append(events.RepositoryRestored{Namespace: r.namespace, Repository: r.id, Name: r.name})
	r.deleted = false
}

func (h *hub) tagDeletedOrRestored(r *hubRepo) {
	name := h.tagName()
	t := r.tags[name]
	switch {
	case t == nil:
	case t.deleted:
		h.append(events.TagRestored{Namespace: r.namespace, Repository: r.id, Tag: name, Digest: t.digest})
		t.deleted = false
	default:
		h.append(events.TagDeleted{Namespace: r.namespace, Repository: r.id, Tag: name, Digest: t.digest})
		t.deleted = true
	}
}

func (h *hub) deleteManifest(r *hubRepo) {
	if len(r.manifests) == 0 {
		return
	}
	d := r.manifests[h.rng.IntN(len(r.manifests))].digest
	r.deletions[d] = h.append(events.ManifestDeleted{Namespace: r.namespace, Repository: r.id, Digest: d})
}

func (h *hub) restoreManifest(r *hubRepo) {
	for _, m := range r.manifests { // in order: a map has none
		if seq, ok := r.deletions[m.digest]; ok {
			h.append(events.ManifestRestored{Namespace: r.namespace, Repository: r.id, Digest: m.digest, Deletion: seq})
			delete(r.deletions, m.digest)
			return
		}
	}
}

func (h *hub) push(r *hubRepo, m hubManifest) {
	p := events.ImagePushed{Namespace: r.namespace, Repository: r.id, Digest: m.digest, MediaType: m.mediaType, Manifest: m.bytes}
	if h.rng.IntN(3) > 0 {
		p.Tag = h.tagName()
		r.tags[p.Tag] = &hubTag{digest: m.digest}
	}
	if h.rng.IntN(2) == 0 {
		p.Platform = &events.Platform{OS: "linux", Architecture: pick(h.rng, "amd64", "arm64\x00")}
		created := h.now.Add(-time.Hour)
		p.Created = &created
	}
	h.append(p)
}

// manifest is a new image, index or artifact of the repository.
func (h *hub) manifest(r *hubRepo) hubManifest {
	annotations := map[string]string{"note": pick(h.rng, "", "plain", "nul\x00inside", "ünïcode")}
	var content any
	kind := v1.MediaTypeImageManifest
	if len(r.manifests) > 1 && h.rng.IntN(4) == 0 {
		kind = v1.MediaTypeImageIndex
		index := v1.Index{MediaType: kind, Annotations: annotations}
		index.SchemaVersion = 2
		for range 1 + h.rng.IntN(3) {
			index.Manifests = append(index.Manifests, h.known(r))
		}
		content = index
	} else {
		image := v1.Manifest{MediaType: kind, Config: h.blob(), Annotations: annotations}
		image.SchemaVersion = 2
		for range h.rng.IntN(5) {
			image.Layers = append(image.Layers, h.blob())
		}
		if len(r.manifests) > 0 && h.rng.IntN(4) == 0 {
			subject := h.known(r)
			image.Subject, image.ArtifactType = &subject, "application/x.sbom"
		}
		if h.large > 0 {
			h.large--
			annotations["large"] = strings.Repeat("\x00x", 4<<20/7) // written \u0000x
		}
		content = image
	}
	raw, err := json.Marshal(content)
	if err != nil {
		panic(err)
	}
	algorithm := digest.SHA256
	if h.rng.IntN(5) == 0 {
		algorithm = digest.SHA512
	}
	m := hubManifest{algorithm.FromBytes(raw), kind, raw}
	r.manifests = append(r.manifests, m)
	return m
}

func (h *hub) known(r *hubRepo) v1.Descriptor {
	m := r.manifests[h.rng.IntN(len(r.manifests))]
	return v1.Descriptor{MediaType: m.mediaType, Digest: m.digest, Size: int64(len(m.bytes))}
}

func (h *hub) blob() v1.Descriptor {
	content := fmt.Sprintf("blob %d", h.rng.IntN(200))
	return v1.Descriptor{MediaType: v1.MediaTypeImageLayerGzip, Digest: digest.FromString(content), Size: int64(len(content))}
}

func (h *hub) tagName() string { return pick(h.rng, "latest", "v1", "v1.0", "Z", "a", "_x") }

func pick(rng *rand.Rand, from ...string) string { return from[rng.IntN(len(from))] }
