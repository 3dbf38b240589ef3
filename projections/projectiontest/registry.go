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

// A generator makes a random history of the registry, as of many clients at
// once. The services could have decided the events of each aggregate in that
// order; between aggregates any order is possible, as when a push and the
// deletion of its repository race.
type generator struct {
	rng   *rand.Rand
	log   *Log
	now   time.Time
	repos []*repoState
	large int // manifests of 4 MiB still to be pushed
}

type repoState struct {
	namespace, id, name string
	deleted             bool
	manifests           []manifestState
	tags                map[string]*tagState
	deletions           map[digest.Digest]uint64 // those not undone
}

type manifestState struct {
	digest    digest.Digest
	mediaType string
	bytes     []byte
}

type tagState struct {
	digest  digest.Digest
	deleted bool
}

// RegistryEvents is a random history of n events of the registry's types, with
// NUL in texts, identical pushes, indexes, referrers, deletions that are undone
// and not, revivals, and large manifests of 4 MiB.
func RegistryEvents(rng *rand.Rand, n, large int) *Log {
	g := &generator{rng: rng, log: &Log{}, now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), large: large}
	g.repository()
	ctx := context.Background()
	for last, _ := g.log.LastSeq(ctx); last < uint64(n); last, _ = g.log.LastSeq(ctx) {
		g.step()
	}
	return g.log
}

func (g *generator) append(p events.Payload) uint64 {
	g.now = g.now.Add(time.Duration(g.rng.IntN(2_000_000)) * time.Microsecond)
	e, err := events.New(p, events.Meta{ID: g.id(), Source: "/registry", Actor: pick(g.rng, "anonymous", "alice", "nul\x00actor")})
	if err != nil {
		panic(err)
	}
	e.Set(events.AttrTime, g.now.Format(events.TimeLayout))
	return g.log.Append(e)
}

func (g *generator) id() string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(g.rng.IntN(256))
	}
	id[6], id[8] = 0x70|id[6]&0x0f, 0x80|id[8]&0x3f
	return id.String()
}

func (g *generator) step() {
	r := g.repos[g.rng.IntN(len(g.repos))]
	switch g.rng.IntN(24) {
	case 0:
		g.repository()
	case 1:
		g.deleteOrRestore(r)
	case 2:
		g.append(events.RepositoryPolicyChanged{Namespace: r.namespace, Repository: r.id, Name: r.name,
			Policy: events.RepositoryPolicy{SparseIndexes: g.rng.IntN(2) == 0, ImmutableTags: []string{pick(g.rng, "v.*", "nul\x00inside")}}})
		g.append(events.RepositoryVisibilityChanged{Namespace: r.namespace, Repository: r.id, Name: r.name, Visibility: pick(g.rng, events.Public, events.Private)})
	case 3, 4, 5:
		g.tagDeletedOrRestored(r)
	case 6, 7:
		g.deleteManifest(r)
	case 8, 9:
		g.restoreManifest(r)
	case 10:
		g.append(events.BlobsSwept{Blobs: []events.SweptBlob{{Digest: g.blob().Digest, Size: 7}, {Digest: g.blob().Digest, Size: 9}}})
	case 11:
		g.append(events.PullsCounted{Node: "n1", From: g.now.Truncate(time.Hour), Repositories: []events.RepositoryPulls{{Repository: r.id, Pulls: 3,
			LastPulled: g.now, Tags: []events.TagPulls{{Tag: "latest", Pulls: 2, LastPulled: g.now}},
			Manifests: []events.ManifestPulls{{Digest: g.blob().Digest, Pulls: 3, LastPulled: g.now}}}}})
	case 12, 13, 14:
		if len(r.manifests) > 0 { // the same image again, often under another tag
			g.again(r, r.manifests[g.rng.IntN(len(r.manifests))])
		}
	default:
		g.push(r, g.manifest(r))
	}
}

// repository creates one, in a new namespace or one that is there, and also
// again under the name of one that was deleted.
func (g *generator) repository() {
	r := &repoState{id: g.id(), tags: map[string]*tagState{}, deletions: map[digest.Digest]uint64{}}
	if len(g.repos) > 0 && g.rng.IntN(2) == 0 {
		old := g.repos[g.rng.IntN(len(g.repos))]
		r.namespace = old.namespace
		r.name = fmt.Sprintf("%s/r%d", strings.Split(old.name, "/")[0], len(g.repos))
		if old.deleted {
			r.name = old.name
			for _, other := range g.repos {
				if other.name == r.name && !other.deleted {
					return
				}
			}
		}
	} else {
		r.namespace, r.name = g.id(), fmt.Sprintf("ns%d/app", len(g.repos))
		g.append(events.NamespaceCreated{Namespace: r.namespace, Name: strings.Split(r.name, "/")[0]})
	}
	g.append(events.RepositoryCreated{Namespace: r.namespace, Repository: r.id, Name: r.name, Visibility: pick(g.rng, "", events.Public, events.Private)})
	g.repos = append(g.repos, r)
}

func (g *generator) deleteOrRestore(r *repoState) {
	if !r.deleted {
		g.append(events.RepositoryDeleted{Namespace: r.namespace, Repository: r.id, Name: r.name})
		r.deleted = true
		return
	}
	for _, other := range g.repos {
		if other.name == r.name && !other.deleted {
			return
		}
	}
	g.append(events.RepositoryRestored{Namespace: r.namespace, Repository: r.id, Name: r.name})
	r.deleted = false
}

func (g *generator) tagDeletedOrRestored(r *repoState) {
	name := g.tagName()
	t := r.tags[name]
	switch {
	case t == nil:
	case t.deleted:
		g.append(events.TagRestored{Namespace: r.namespace, Repository: r.id, Tag: name, Digest: t.digest})
		t.deleted = false
	default:
		g.append(events.TagDeleted{Namespace: r.namespace, Repository: r.id, Tag: name, Digest: t.digest})
		t.deleted = true
	}
}

func (g *generator) deleteManifest(r *repoState) {
	if len(r.manifests) == 0 {
		return
	}
	d := r.manifests[g.rng.IntN(len(r.manifests))].digest
	r.deletions[d] = g.append(events.ManifestDeleted{Namespace: r.namespace, Repository: r.id, Digest: d})
}

func (g *generator) restoreManifest(r *repoState) {
	for _, m := range r.manifests { // in order: a map has none
		if seq, ok := r.deletions[m.digest]; ok {
			g.append(events.ManifestRestored{Namespace: r.namespace, Repository: r.id, Digest: m.digest, Deletion: seq})
			delete(r.deletions, m.digest)
			return
		}
	}
}

// again is a push of what the repository has: small, or with its bytes.
func (g *generator) again(r *repoState, m manifestState) {
	if g.rng.IntN(3) == 0 {
		g.push(r, m)
		return
	}
	p := events.ImageTagged{Namespace: r.namespace, Repository: r.id, Digest: m.digest}
	if g.rng.IntN(3) > 0 {
		p.Tag = g.tagName()
		r.tags[p.Tag] = &tagState{digest: m.digest}
	}
	g.append(p)
}

func (g *generator) push(r *repoState, m manifestState) {
	p := events.ImagePushed{Namespace: r.namespace, Repository: r.id, Digest: m.digest, MediaType: m.mediaType, Manifest: m.bytes}
	if g.rng.IntN(3) > 0 {
		p.Tag = g.tagName()
		r.tags[p.Tag] = &tagState{digest: m.digest}
	}
	if g.rng.IntN(2) == 0 {
		p.Platform = &events.Platform{OS: "linux", Architecture: pick(g.rng, "amd64", "arm64\x00")}
		created := g.now.Add(-time.Hour)
		p.Created = &created
	}
	g.append(p)
}

// manifest is a new image, index or artifact of the repository.
func (g *generator) manifest(r *repoState) manifestState {
	annotations := map[string]string{"note": pick(g.rng, "", "plain", "nul\x00inside", "ünïcode")}
	var content any
	kind := v1.MediaTypeImageManifest
	if len(r.manifests) > 1 && g.rng.IntN(4) == 0 {
		kind = v1.MediaTypeImageIndex
		index := v1.Index{MediaType: kind, Annotations: annotations}
		index.SchemaVersion = 2
		for range 1 + g.rng.IntN(3) {
			index.Manifests = append(index.Manifests, g.known(r))
		}
		content = index
	} else {
		image := v1.Manifest{MediaType: kind, Config: g.blob(), Annotations: annotations}
		image.SchemaVersion = 2
		for range g.rng.IntN(5) {
			image.Layers = append(image.Layers, g.blob())
		}
		if len(r.manifests) > 0 && g.rng.IntN(4) == 0 {
			subject := g.known(r)
			image.Subject, image.ArtifactType = &subject, "application/x.sbom"
		}
		if g.large > 0 {
			g.large--
			annotations["large"] = strings.Repeat("\x00x", 4<<20/7) // written \u0000x
		}
		content = image
	}
	raw, err := json.Marshal(content)
	if err != nil {
		panic(err)
	}
	algorithm := digest.SHA256
	if g.rng.IntN(5) == 0 {
		algorithm = digest.SHA512
	}
	m := manifestState{algorithm.FromBytes(raw), kind, raw}
	r.manifests = append(r.manifests, m)
	return m
}

func (g *generator) known(r *repoState) v1.Descriptor {
	m := r.manifests[g.rng.IntN(len(r.manifests))]
	return v1.Descriptor{MediaType: m.mediaType, Digest: m.digest, Size: int64(len(m.bytes))}
}

func (g *generator) blob() v1.Descriptor {
	content := fmt.Sprintf("blob %d", g.rng.IntN(200))
	return v1.Descriptor{MediaType: v1.MediaTypeImageLayerGzip, Digest: digest.FromString(content), Size: int64(len(content))}
}

func (g *generator) tagName() string { return pick(g.rng, "latest", "v1", "v1.0", "Z", "a", "_x") }

func pick(rng *rand.Rand, from ...string) string { return from[rng.IntN(len(from))] }
