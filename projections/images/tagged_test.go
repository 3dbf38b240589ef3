package images_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections/images"
)

// small is the same push without the manifest's bytes.
func small(i events.ImagePushed, tag string) events.Payload {
	return events.ImageTagged{Namespace: i.Namespace, Repository: i.Repository, Tag: tag, Digest: i.Digest}
}

func whole(i events.ImagePushed, tag string) events.Payload { i.Tag = tag; return i }

// A push without bytes comes to the same as one with them, whatever was deleted
// before and after it.
func TestTaggedIsPushed(t *testing.T) {
	one, two := image(repoA, "1", "one"), image(repoA, "2", "two")
	signature := pushed(repoA, "", v1.MediaTypeImageManifest, v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: blob("signature"),
		Subject: &v1.Descriptor{Digest: one.Digest, Size: int64(len(one.Manifest))}, ArtifactType: "application/x.signature"})
	lists := map[string]func(again func(events.ImagePushed, string) events.Payload) []events.Payload{
		"another tag":              func(again again) []events.Payload { return []events.Payload{again(one, "latest")} },
		"the same tag":             func(again again) []events.Payload { return []events.Payload{again(one, "1")} },
		"by its digest":            func(again again) []events.Payload { return []events.Payload{again(one, "")} },
		"a tag moves":              func(again again) []events.Payload { return []events.Payload{again(one, "2")} },
		"of a deleted manifest":    func(again again) []events.Payload { return []events.Payload{deleted(one), again(one, "latest")} },
		"by its digest after that": func(again again) []events.Payload { return []events.Payload{deleted(one), again(one, "")} },
		"a deletion later":         func(again again) []events.Payload { return []events.Payload{again(one, "latest"), deleted(one)} },
		"a deletion later, undone": func(again again) []events.Payload {
			return []events.Payload{again(one, "latest"), deleted(one), restored(one, 7)}
		},
		"a deleted tag": func(again again) []events.Payload {
			return []events.Payload{events.TagDeleted{Namespace: nsID, Repository: repoA, Tag: "1", Digest: one.Digest}, again(one, "1")}
		},
		"a referrer": func(again again) []events.Payload {
			return []events.Payload{deleted(signature), again(signature, "sig")}
		},
	}
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			begin := []events.Payload{events.NamespaceCreated{Namespace: nsID, Name: "alice"},
				events.RepositoryCreated{Namespace: nsID, Repository: repoA, Name: "alice/app"}, one, two, signature}
			var wants []string
			onEach(t, append(begin, list(whole)...), func(t *testing.T, r images.Reader) {
				wants = append(wants, snapshot(t, r, one.Digest, two.Digest, signature.Digest))
			})
			onEach(t, append(begin, list(small)...), func(t *testing.T, r images.Reader) {
				if got := snapshot(t, r, one.Digest, two.Digest, signature.Digest); got != wants[0] {
					t.Errorf("got\n%swant\n%s", got, wants[0])
				}
			})
		})
	}
}

type again = func(events.ImagePushed, string) events.Payload

// snapshot is what the reader answers about repoA and some of its manifests.
func snapshot(t *testing.T, r images.Reader, manifests ...digest.Digest) (s string) {
	t.Helper()
	ctx := t.Context()
	say := func(what string, v any, err error) {
		if errors.Is(err, images.ErrNotFound) {
			v, err = "not found", nil
		}
		check(t, err)
		s += fmt.Sprintf("%s: %+v\n", what, v)
	}
	content, err := r.Content(ctx, repoA)
	say("content", content, err)
	tags, err := r.TagDetails(ctx, repoA, "", 100)
	say("tags", tags, err)
	for _, d := range manifests {
		m, err := r.Manifest(ctx, repoA, d)
		if err == nil {
			say("manifest", string(m.Bytes), nil)
		} else {
			say("manifest", nil, err)
		}
		last, err := r.LastPush(ctx, repoA, d)
		say("last push", last, err)
		of, err := r.TagsOf(ctx, repoA, []digest.Digest{d})
		say("tags of it", of, err)
		refers, _, err := r.Referrers(ctx, repoA, d, "", "", 100)
		say("referrers", refers, err)
	}
	for _, content := range []string{"one", "two", "shared", "signature"} {
		end, live, err := r.HoldEnd(ctx, digest.FromString(content), window)
		say("hold of "+content, fmt.Sprint(end, live), err)
	}
	return s
}
