package trail

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/images"
)

// maxNamed bounds the digests by which a push is found beside its own.
const maxNamed = 1000

// named is the digests that a manifest names: its config, layers, children and subject.
func named(manifest []byte) []digest.Digest {
	m, err := images.ParseManifest(manifest)
	if err != nil {
		return nil
	}
	var list []digest.Digest
	if m.Config != nil {
		list = append(list, m.Config.Digest)
	}
	if m.Subject != nil {
		list = append(list, m.Subject.Digest)
	}
	for _, d := range slices.Concat(m.Manifests, m.Layers) {
		list = append(list, d.Digest)
	}
	return list[:min(len(list), maxNamed)]
}

// markFacts marks what the payload of an event names: digests, commits, and the
// repository of an event that its readers may not read.
func markFacts(p events.Payload, mark func(List)) {
	digests := func(list ...digest.Digest) {
		for _, d := range list {
			mark(OfDigest(d))
		}
	}
	switch p := p.(type) {
	case events.ImagePushed:
		digests(p.Digest)
		digests(named(p.Manifest)...)
	case events.ImageTagged:
		digests(p.Digest)
	case events.TagDeleted:
		digests(p.Digest)
	case events.TagRestored:
		digests(p.Digest)
	case events.ManifestDeleted:
		digests(p.Digest)
	case events.ManifestRestored:
		digests(p.Digest)
	case events.BlobsSwept:
		for _, b := range p.Blobs {
			digests(b.Digest)
		}
	case events.StarGiven:
		mark(ofID(listAbout, p.Repository))
	case events.StarWithdrawn:
		mark(ofID(listAbout, p.Repository))
	case events.HookReceived:
		digests(digest.Digest(p.Digest))
		for _, ref := range p.Refs {
			mark(OfCommit(ref.New))
		}
	case events.RefMoved:
		mark(OfCommit(p.Old))
		mark(OfCommit(p.New))
	case events.PullRequestChanged:
		mark(OfCommit(p.Old))
		mark(OfCommit(p.New))
	case events.StatusSent:
		mark(OfCommit(p.Commit))
	case events.StatusGivenUp:
		mark(OfCommit(p.Commit))
	case events.PushEvaluated:
		mark(OfCommit(p.Commit))
	case events.BuildQueued:
		mark(OfCommit(p.Commit))
		if p.Upload != nil {
			digests(digest.Digest(p.Upload.Digest))
		}
		if p.Rebuild != nil {
			digests(digest.Digest(p.Rebuild.Was), digest.Digest(p.Rebuild.Now))
		}
	case events.BuildPushed:
		digests(digest.Digest(p.Digest))
		for _, b := range p.Bases {
			digests(digest.Digest(b.Digest))
		}
	case events.BuildFinished:
		digests(digest.Digest(p.Digest), digest.Digest(p.Provenance))
	case events.BuildLogSealed:
		digests(digest.Digest(p.Digest))
	}
}
