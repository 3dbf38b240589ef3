package tagged_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/pgtest"
	"hubledger/projections/projectiontest"
	"hubledger/projections/registry"
	"hubledger/services/hub/tagged"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

const (
	ns   = "0191d1a0-0000-7000-8000-000000000001"
	repo = "0191d1a0-0000-7000-8000-00000000000a"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// onEach reads what a history comes to, on either store. Its first event is at
// minute 1, each other a minute later.
func onEach(t *testing.T, list []events.Payload, test func(t *testing.T, r tagged.Reader)) {
	log := &projectiontest.Log{}
	for i, p := range list {
		e, err := events.New(p, events.Meta{ID: uuid.NewString(), Source: "/test", Actor: fmt.Sprint("user", i+1)})
		check(t, err)
		e.Set(events.AttrTime, noon.Add(time.Duration(i+1)*time.Minute).Format(events.TimeLayout))
		log.Append(e)
	}
	for name, place := range map[string]func() projections.Place{
		"sqlite":   func() projections.Place { return projections.SQLiteDir(t.TempDir()) },
		"postgres": func() projections.Place { return projections.PostgresURL(postgres.URL(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			store, err := place().Open(t.Context(), &registry.Projection, projections.Options{})
			check(t, err)
			defer store.Close()
			check(t, projections.CatchUp(t.Context(), store, log, uint64(len(list)), nil))
			test(t, tagged.Reader{Reader: registry.Reader{DB: store.DB()}})
		})
	}
}

func push(tag, kind string, m any, p *events.Platform) events.ImagePushed {
	raw, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return events.ImagePushed{Namespace: ns, Repository: repo, Tag: tag, Digest: digest.FromBytes(raw), MediaType: kind, Manifest: raw, Platform: p}
}

// image is a push of an image with a config of 10 bytes and a layer of that size.
func image(tag, architecture string, size int64) events.ImagePushed {
	m := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: v1.Descriptor{Digest: digest.FromString(architecture), Size: 10},
		Layers: []v1.Descriptor{{Digest: digest.FromString("layer"), Size: size}}}
	return push(tag, m.MediaType, m, &events.Platform{OS: "linux", Architecture: architecture, Variant: "v8"})
}

func index(tag string, children ...events.ImagePushed) events.ImagePushed {
	m := v1.Index{MediaType: v1.MediaTypeImageIndex}
	for _, c := range children {
		m.Manifests = append(m.Manifests, v1.Descriptor{MediaType: c.MediaType, Digest: c.Digest, Size: int64(len(c.Manifest)),
			Platform: &v1.Platform{OS: c.Platform.OS, Architecture: c.Platform.Architecture}})
	}
	return push(tag, m.MediaType, m, nil)
}

func TestTags(t *testing.T) {
	amd, arm, gone := image("", "amd64", 100), image("", "arm64", 300), image("gone", "riscv64", 5)
	single, large := image("1.0", "amd64", 200), push("large", v1.MediaTypeImageManifest, v1.Manifest{
		Config: v1.Descriptor{Digest: digest.FromString("config")}, Annotations: map[string]string{"x": strings.Repeat("x", 300<<10)}}, nil)
	onEach(t, []events.Payload{
		events.RepositoryCreated{Namespace: ns, Repository: repo, Name: "alice/app"},
		amd, arm, single,
		index("latest", amd, arm, image("", "absent", 9)),
		gone, events.ManifestDeleted{Namespace: ns, Repository: repo, Digest: gone.Digest},
		image("deleted", "amd64", 1), events.TagDeleted{Namespace: ns, Repository: repo, Tag: "deleted", Digest: image("deleted", "amd64", 1).Digest},
		large,
	}, func(t *testing.T, r tagged.Reader) {
		ctx := t.Context()
		list, err := r.Tags(ctx, repo, "", 10)
		check(t, err)
		if names(list) != "1.0 large latest" {
			t.Fatalf("tags %q", names(list))
		}
		one, big, latest := list[0], list[1], list[2]
		if one.Size != 210 || one.By != "user4" || !one.Pushed.Equal(noon.Add(4*time.Minute)) || one.Digest != single.Digest || len(one.Images) != 1 ||
			one.Images[0].Platform.Architecture != "amd64" || one.Images[0].Platform.Variant != "v8" || one.Images[0].Size != 210 {
			t.Errorf("%+v", one)
		}
		if big.Size != 0 || len(big.Images) != 1 || big.Images[0].Digest != large.Digest {
			t.Errorf("a manifest that is too large to be looked into: %+v", big)
		}
		if latest.Size != 310 || len(latest.Images) != 2 || latest.Images[0].Digest != amd.Digest || latest.Images[1].Platform.Architecture != "arm64" ||
			!latest.Images[1].Pushed.Equal(noon.Add(3*time.Minute)) {
			t.Errorf("%+v", latest)
		}
		if page, err := r.Tags(ctx, repo, "1.0", 1); err != nil || names(page) != "large" {
			t.Errorf("behind 1.0: %q, %v", names(page), err)
		}
		if page, err := r.Newest(ctx, repo, 0, 2); err != nil || names(page) != "large latest" {
			t.Errorf("newest: %q, %v", names(page), err)
		}
		if page, err := r.Newest(ctx, repo, 2, 2); err != nil || names(page) != "1.0" {
			t.Errorf("behind the newest two: %q, %v", names(page), err)
		}
		if n, err := r.Count(ctx, repo); err != nil || n != 3 {
			t.Errorf("%d tags, %v", n, err)
		}
		if tag, err := r.Tag(ctx, repo, "latest"); err != nil || tag.Digest != latest.Digest {
			t.Errorf("latest: %+v, %v", tag, err)
		}
		for _, tag := range []string{"gone", "deleted", "never"} {
			if _, err := r.Tag(ctx, repo, tag); !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("%s: %v", tag, err)
			}
		}
	})
}

func names(list []tagged.Tag) string {
	var all []string
	for _, t := range list {
		all = append(all, t.Name)
	}
	return strings.Join(all, " ")
}
