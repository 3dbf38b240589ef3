package repository

import (
	"context"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/command"
)

// Limits of a policy.
const (
	MaxPatterns      = 50     // of tags, in each list
	MaxPatternLength = 200    // bytes
	MaxCleanup       = 10_000 // tags or days
)

// ChangePolicy gives the live repository a new policy. It holds for pushes that
// are decided on this node after its event was committed. A push that is being
// decided at that moment may still follow the old policy, and may stand before
// or after the event in the log. ErrUnknown, ErrSettings.
func ChangePolicy(ctx context.Context, log command.Log, by command.By, id ID, name string, policy events.RepositoryPolicy) (uint64, error) {
	p, err := policyChanged(id, name, policy)
	if err != nil {
		return 0, err
	}
	return change(ctx, log, by, id, name, p)
}

// policyChanged is the event of a new policy. ErrSettings.
func policyChanged(id ID, name string, policy events.RepositoryPolicy) (events.Payload, error) {
	return events.RepositoryPolicyChanged{Namespace: id.Namespace, Repository: id.Repository, Name: name, Policy: policy}, CheckPolicy(policy)
}

// CheckPolicy says what is wrong with a policy. ErrSettings.
func CheckPolicy(p events.RepositoryPolicy) error {
	if err := checkPatterns("immutableTags", "immutable tags", p.ImmutableTags); err != nil {
		return err
	}
	if p.Cleanup == nil {
		return nil
	}
	for setting, n := range map[string]struct {
		what string
		n    int
	}{"keepLast": {"the tags to keep", p.Cleanup.KeepLast}, "notPulledDays": {"the days without a pull", p.Cleanup.NotPulledDays},
		"untaggedDays": {"the days without a tag", p.Cleanup.UntaggedDays}} {
		if n.n < 0 || n.n > MaxCleanup {
			return invalid(setting, "%s are a number from 0 to %d", n.what, MaxCleanup)
		}
	}
	return checkPatterns("keepTags", "tags to keep", p.Cleanup.KeepTags)
}

// signatureTags are the tags that cosign, and clients without the referrers API,
// move with every signature that they add. They contain at most 64 characters
// of a digest (distribution-spec, "Referrers Tag Schema").
var signatureTags = regexp.MustCompile(`^sha(256|512)-[a-f0-9]{64}(\.(sig|att|sbom))?$`)

// SignatureSubject tells for which manifest a tag holds signatures, attestations
// or referrers: the digest as ShortDigest writes it. It is false for all other
// tags.
func SignatureSubject(tag string) (string, bool) {
	if !signatureTags.MatchString(tag) {
		return "", false
	}
	tag, _, _ = strings.Cut(tag, ".")
	return strings.Replace(tag, "-", ":", 1), true
}

// ShortDigest is the part of a digest that the tags of its signatures contain.
func ShortDigest(d digest.Digest) string {
	const length = len("sha256:") + 64
	return string(d[:min(len(d), length)])
}

// Immutable is the set of a policy's immutable tags.
func Immutable(p events.RepositoryPolicy) ImmutableTags {
	return ImmutableTags{TagsMatching(p.ImmutableTags)}
}

// ImmutableTags are the tags that can be set only once. Tags that hold the
// signatures of an image are never among them.
type ImmutableTags struct{ set *TagSet }

// Has says whether the tag is immutable.
func (t ImmutableTags) Has(tag string) bool { return !signatureTags.MatchString(tag) && t.set.Has(tag) }
