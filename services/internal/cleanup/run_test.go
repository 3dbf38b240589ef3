package cleanup_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/projections/pgtest"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/command"
	"hubledger/services/registry/registrytest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pulls is what the hub has counted, as if it had been so much later.
type pulls struct {
	*registrytest.Hub
	later time.Duration
}

func (p pulls) Pulls(ctx context.Context, repo string) (catalog.Pulls, error) {
	all := catalog.Pulls{Tags: map[string]catalog.TagPulls{}, Manifests: map[digest.Digest]time.Time{}}
	if err := p.Registry.FlushPulls(ctx); err != nil {
		return all, err
	}
	counted, err := p.Hub.Pulls.Of(ctx, repo)
	for _, n := range counted {
		if n.Digest == "" {
			all.Tags[n.Tag] = catalog.TagPulls{Pulls: n.N, LastPulled: n.Latest.Add(p.later)}
		} else {
			all.Manifests[n.Digest] = n.Latest.Add(p.later)
		}
	}
	return all, err
}

// onEach runs a test on a hub over SQLite and on one over PostgreSQL.
func onEach(t *testing.T, test func(t *testing.T, h *registrytest.Hub)) {
	t.Run("sqlite", func(t *testing.T) { test(t, registrytest.Start(t, registrytest.Config{})) })
	t.Run("postgres", func(t *testing.T) {
		test(t, registrytest.Start(t, registrytest.Config{Postgres: postgres.URL(t)}))
	})
}

// cleaner is one that believes so many days have passed.
func cleaner(h *registrytest.Hub, log command.Log, days int) *cleanup.Cleaner {
	return cleanup.New(cleanup.Config{Log: log, View: h.Runner, Read: h.Registry.Images, Pulls: pulls{Hub: h}, Logger: slog.New(slog.DiscardHandler),
		UndeleteWindow: 30 * 24 * time.Hour, LeaseTerm: 24 * time.Hour,
		Now: func() time.Time { return time.Now().Add(time.Duration(days) * 24 * time.Hour) }})
}

func rule(t testing.TB, h *registrytest.Hub, name string, policy events.RepositoryPolicy) images.Repository {
	t.Helper()
	h.SetPolicy(name, policy)
	repo, err := h.Registry.Images.Repository(t.Context(), name)
	check(t, err)
	return *repo
}

// What a preview says is what a run does, and what garbage collection frees then.
func TestPreviewIsWhatHappens(t *testing.T) {
	onEach(t, func(t *testing.T, h *registrytest.Hub) {
		ctx, c := t.Context(), h.Client()
		c.MustPush(t, "alice/app", "v1", registrytest.NewImage("one", "shared with the one that stays"))
		c.MustPush(t, "alice/app", "v2", registrytest.NewImage("two", "shared with another repository"))
		kept := c.MustPush(t, "alice/app", "v3", registrytest.NewImage("three", "shared with the one that stays"))
		c.MustPush(t, "alice/app", "", registrytest.NewImage("never tagged", "two"))
		other := c.MustPush(t, "bob/app", "v1", registrytest.NewImage("shared with another repository"))
		repo := rule(t, h, "alice/app", events.RepositoryPolicy{Cleanup: &events.Cleanup{KeepLast: 1, UntaggedDays: 7}})

		preview, err := cleaner(h, h.Log, 8).Preview(ctx, repo, *repo.Policy.Cleanup, true)
		check(t, err)
		if len(preview.Tags) != 2 || preview.Tags[0].Name != "v1" || preview.Tags[1].Name != "v2" || len(preview.Manifests) != 1 || len(preview.Later) != 2 {
			t.Fatalf("preview %+v", preview)
		}
		// Who may not know what bob has is told of the namespace alone.
		own, err := cleaner(h, h.Log, 8).Preview(ctx, repo, *repo.Policy.Cleanup, false)
		check(t, err)
		if shared := int64(len("shared with another repository")); own.Then.Blobs != preview.Then.Blobs+1 || own.Then.Bytes != preview.Then.Bytes+shared {
			t.Errorf("of the namespace %+v, of the hub %+v", own.Then, preview.Then)
		}
		if at := time.Until(preview.Now.At).Round(24 * time.Hour); at != (8+31)*24*time.Hour || preview.Then.At.Sub(preview.Now.At) != 7*24*time.Hour {
			t.Errorf("frees at %s and %s", preview.Now.At, preview.Then.At)
		}
		if last := h.Events(); last[len(last)-1].Source() == "/cleanup" {
			t.Error("a preview made events")
		}
		for _, stage := range []struct {
			days            int
			tags, manifests int
			freed           apitypes.CleanupFreed
		}{{8, 2, 1, preview.Now}, {16, 0, 2, preview.Then}, {17, 0, 0, preview.Then}} {
			done, err := cleaner(h, h.Log, stage.days).Run(ctx, registrytest.By, repo)
			check(t, err)
			if done != (cleanup.Done{Tags: stage.tags, Manifests: stage.manifests}) {
				t.Errorf("after %d days: done %+v", stage.days, done)
			}
			h.EndLeases("alice/app", "bob/app")
			_, err = h.Collector().Collect(ctx, 0, func(int) {})
			check(t, err)
			if freed := registrytest.Value(t, h.Metrics.Freed); freed != stage.freed.Bytes || int(registrytest.Value(t, h.Metrics.Swept)) != stage.freed.Blobs {
				t.Errorf("after %d days: %d bytes of %d blobs were freed, the preview said %+v", stage.days, freed, registrytest.Value(t, h.Metrics.Swept), stage.freed)
			}
		}
		for name, tag := range map[string]string{"alice/app": "v3", "bob/app": "v1"} {
			d, err := c.Pull(name, tag)
			check(t, err)
			if d != kept.Digest() && d != other.Digest() {
				t.Errorf("%s is %s", name, d)
			}
		}
	})
}

// What a preview of a deletion says is what garbage collection frees, when the tags were
// deleted and then what has no tag any more; and when the repository was.
func TestPreviewOfADeletion(t *testing.T) {
	onEach(t, func(t *testing.T, h *registrytest.Hub) {
		ctx, c := t.Context(), h.Client()
		c.MustPush(t, "alice/app", "v1", registrytest.NewImage("one", "shared with the one that stays"))
		c.MustPush(t, "alice/app", "v1.0", registrytest.NewImage("one", "shared with the one that stays"))
		c.MustPush(t, "alice/app", "v2", registrytest.NewImage("two", "shared with another repository", "shared with one that has no tag"))
		c.MustPush(t, "alice/app", "v3", registrytest.NewImage("three", "shared with the one that stays"))
		c.MustPush(t, "alice/app", "", registrytest.NewImage("never tagged", "shared with one that has no tag"))
		c.MustPush(t, "bob/app", "v1", registrytest.NewImage("shared with another repository"))
		repo := rule(t, h, "alice/app", events.RepositoryPolicy{})
		preview := func(repo images.Repository, tags ...string) apitypes.DeletionPreview {
			t.Helper()
			p, err := cleaner(h, h.Log, 0).PreviewDeletion(ctx, repo, tags, true)
			check(t, err)
			return p
		}
		if p := preview(repo, "v1", "none"); p.Images != 0 || p.Blobs != 0 || p.At != nil {
			t.Errorf("one of two tags of an image: %+v", p)
		}
		config := int64(len(registrytest.NewImage("x").Blobs[0]))
		alone := preview(repo, "v1", "v1.0", "v2")
		if alone.Images != 2 || alone.Blobs != 2+2 || alone.Bytes <= config || alone.At != nil || time.Until(alone.Earliest).Round(24*time.Hour) != 31*24*time.Hour {
			t.Errorf("without a rule: %+v", alone)
		}
		repo = rule(t, h, "alice/app", events.RepositoryPolicy{Cleanup: &events.Cleanup{UntaggedDays: 7}})
		ruled := preview(repo, "v1", "v1.0", "v2")
		if shared := int64(len("shared with one that has no tag")); ruled.Images != 2 || ruled.Bytes != alone.Bytes+shared || ruled.At == nil || ruled.At.Sub(ruled.Earliest) != 7*24*time.Hour {
			t.Errorf("with a rule: %+v, without %+v", ruled, alone)
		}
		collected := func() int64 {
			t.Helper()
			h.EndLeases("alice/app", "bob/app")
			_, err := h.Collector().Collect(ctx, 0, func(int) {})
			check(t, err)
			return registrytest.Value(t, h.Metrics.Freed)
		}
		_, err := cleaner(h, h.Log, 8).Run(ctx, registrytest.By, repo) // what has no tag already
		check(t, err)
		before := collected()
		for _, tag := range []string{"v1", "v1.0", "v2"} {
			c.Must(t, "DELETE", "/v2/alice/app/manifests/"+tag, nil).Want(t, 202)
		}
		_, err = cleaner(h, h.Log, 8).Run(ctx, registrytest.By, repo)
		check(t, err)
		if freed := collected() - before; freed != ruled.Bytes {
			t.Errorf("%d bytes were freed, the preview said %+v", freed, ruled)
		}
		all, err := cleaner(h, h.Log, 0).PreviewDeletion(ctx, repo, nil, true)
		check(t, err)
		if all.Images != 1 || all.Blobs != 3 || all.At == nil || *all.At != all.Earliest {
			t.Errorf("the repository: %+v", all)
		}
	})
}

// Whatever end of an edge a client asks for, and however it asks, all that it
// belongs to is in use; what only lies beside it is not.
func TestUseAlongEveryEdge(t *testing.T) {
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	for k, row := range []struct {
		edge string
		push func(t *testing.T, name string) (ask []string) // methods and references
		left int                                            // manifests that stay, of them all but one
	}{
		{"tag to manifest", func(t *testing.T, name string) []string {
			return []string{"HEAD", "v1", "GET", c.MustPush(t, name, "v1", registrytest.NewImage("a")).Digest().String()}
		}, 1},
		{"tag to manifest, by a digest that was written down", func(t *testing.T, name string) []string {
			return []string{"GET", c.MustPush(t, name, "v1", registrytest.NewImage("a")).Digest().String()}
		}, 1},
		{"tag to manifest, which the client has", func(t *testing.T, name string) []string {
			return []string{"IF-NONE-MATCH", c.MustPush(t, name, "v1", registrytest.NewImage("a")).Digest().String()}
		}, 1},
		{"index to child", func(t *testing.T, name string) []string {
			arm, amd := c.MustPush(t, name, "", registrytest.NewImage("arm64")), c.MustPush(t, name, "", registrytest.NewImage("amd64"))
			c.MustPush(t, name, "v1", registrytest.NewIndex(arm, amd))
			return []string{"GET", arm.Digest().String()}
		}, 3},
		{"untagged index to child", func(t *testing.T, name string) []string {
			arm := c.MustPush(t, name, "", registrytest.NewImage("arm64"))
			c.MustPush(t, name, "", registrytest.NewIndex(arm))
			return []string{"GET", arm.Digest().String()}
		}, 2},
		{"manifest to subject", func(t *testing.T, name string) []string {
			subject := c.MustPush(t, name, "v1", registrytest.NewImage("a")).Descriptor()
			sbom := c.MustPush(t, name, "", registrytest.With(func(m *v1.Manifest) { m.Subject = &subject }, "sbom"))
			return []string{"GET", sbom.Digest().String()}
		}, 2},
		{"config and layer: blobs have no time of their own, the manifest that names them has", func(t *testing.T, name string) []string {
			image := c.MustPush(t, name, "", registrytest.NewImage("a"))
			return []string{"HEAD", image.Digest().String()}
		}, 1},
	} {
		t.Run(row.edge, func(t *testing.T) {
			name := fmt.Sprint("alice/app", k)
			asks := row.push(t, name)
			c.MustPush(t, name, "forgotten", registrytest.NewImage("forgotten"))
			repo := rule(t, h, name, events.RepositoryPolicy{Cleanup: &events.Cleanup{NotPulledDays: 30, UntaggedDays: 14}})
			for k := 0; k < len(asks); k += 2 {
				path := "/v2/" + name + "/manifests/" + asks[k+1]
				if asks[k] == "IF-NONE-MATCH" {
					c.Must(t, "GET", path, nil, "If-None-Match", "*").Want(t, 304)
				} else {
					c.Must(t, asks[k], path, nil).Want(t, 200)
				}
			}
			for _, days := range []int{45, 60} { // the tag, then its manifest
				cleaner := cleaner(h, h.Log, days)
				cleaner.Pulls = pulls{h, 40 * 24 * time.Hour}
				_, err := cleaner.Run(t.Context(), registrytest.By, repo)
				check(t, err)
			}
			content, err := h.Registry.Images.Content(t.Context(), repo.ID)
			check(t, err)
			if len(content.Manifests) != row.left || slices.ContainsFunc(content.Tags, func(t images.ContentTag) bool { return t.Name == "forgotten" }) {
				t.Errorf("%d manifests stay and the tags %v, want %d", len(content.Manifests), content.Tags, row.left)
			}
		})
	}
}

// What cleanup does is the system's, because of the policy.
func TestEventsOfCleanup(t *testing.T) {
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	for _, tag := range []string{"v1", "v2", "latest", "old"} {
		c.MustPush(t, "alice/app", tag, registrytest.NewImage(tag))
	}
	rule(t, h, "alice/app", events.RepositoryPolicy{ImmutableTags: []string{"v.*"}, Cleanup: &events.Cleanup{NotPulledDays: 5, KeepTags: []string{"latest"}}})
	policy := h.Events()[h.LastSeq()-1]
	check(t, cleaner(h, h.Log, 4).RunAll(t.Context()))
	check(t, cleaner(h, h.Log, 6).RunAll(t.Context()))
	check(t, cleaner(h, h.Log, 6).RunAll(t.Context()))
	made := h.Events()[policy.Seq:]
	if len(made) != 1 {
		t.Fatalf("%d events", len(made))
	}
	e := made[0]
	if e.Type() != "tag.deleted.v1" || e.Actor() != "system" || e.Source() != "/cleanup" || e.Cause() != policy.ID() || e.Correlation() != policy.ID() {
		t.Errorf("%s by %s of %s because of %s", e.Type(), e.Actor(), e.Source(), e.Cause())
	}
}

// before does something just before the first event of that type is appended.
type before struct {
	command.Log
	eventType string
	do        func() error
}

func (b *before) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	if do := b.do; do != nil && e.Type() == b.eventType {
		b.do = nil
		if err := do(); err != nil {
			return 0, err
		}
	}
	return b.Log.Append(ctx, e, expect)
}

// A push at the moment of its deletion is not lost: neither its tag nor, when
// it brings back what was about to go, the manifest.
func TestPushWhileCleaning(t *testing.T) {
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	idle := c.MustPush(t, "alice/app", "", registrytest.NewImage("untagged"))
	child := c.MustPush(t, "alice/app", "", registrytest.NewImage("to be a child"))
	c.MustPush(t, "alice/app", "v1", registrytest.NewImage("old"))
	moved := registrytest.NewImage("new")
	repo := rule(t, h, "alice/app", events.RepositoryPolicy{Cleanup: &events.Cleanup{NotPulledDays: 1, UntaggedDays: 1}})
	log := &before{h.Log, "tag.deleted.v1", func() error { return c.Push("alice/app", "v1", moved) }}
	done, err := cleaner(h, log, 2).Run(t.Context(), registrytest.By, repo)
	check(t, err)
	if d, err := c.Pull("alice/app", "v1"); err != nil || d != moved.Digest() || done.Tags != 0 {
		t.Errorf("the tag that was pushed meanwhile is %s, %v; %+v", d, err, done)
	}
	_, err = h.Registry.RestoreManifest(t.Context(), registrytest.By, "alice/app", idle.Digest())
	check(t, err)
	_, err = h.Registry.RestoreManifest(t.Context(), registrytest.By, "alice/app", child.Digest())
	check(t, err)
	index := registrytest.NewIndex(idle, child)
	for name, push := range map[string]func() error{
		"by tag":   func() error { return c.Push("alice/app", "again", idle) },
		"in index": func() error { return c.Push("alice/app", "all", index) },
	} {
		log = &before{h.Log, "manifest.deleted.v1", push}
		_, err := cleaner(h, log, 2).Run(t.Context(), registrytest.By, repo)
		check(t, err)
		if log.do != nil {
			t.Fatalf("%s: nothing was deleted", name)
		}
		_, err = c.Pull("alice/app", idle.Digest().String())
		if _, terr := c.Pull("alice/app", map[string]string{"by tag": "again", "in index": "all"}[name]); err != nil || terr != nil {
			t.Errorf("%s: pushed meanwhile, and then %v, %v", name, err, terr)
		}
		for _, tag := range []string{"again", "all"} { // for the other row
			if _, err := c.Do("DELETE", "/v2/alice/app/manifests/"+tag, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Do("DELETE", "/v2/alice/app/manifests/"+index.Digest().String(), nil); err != nil {
			t.Fatal(err)
		}
		for _, image := range []*registrytest.Image{idle, child} {
			_, _ = h.Registry.RestoreManifest(t.Context(), registrytest.By, "alice/app", image.Digest()) // if it went
		}
	}
}

// A run that breaks off anywhere is finished by the next one.
func TestCleanupGoesOn(t *testing.T) {
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	for _, tag := range []string{"v1", "v2", "v3"} {
		c.MustPush(t, "alice/app", tag, registrytest.NewImage(tag))
		c.MustPush(t, "alice/app", "", registrytest.NewImage("untagged "+tag))
	}
	rule(t, h, "alice/app", events.RepositoryPolicy{Cleanup: &events.Cleanup{NotPulledDays: 1, UntaggedDays: 1, KeepTags: []string{"v3"}}})
	broken := errors.New("broken off")
	for _, eventType := range []string{"tag.deleted.v1", "manifest.deleted.v1"} {
		log := &before{h.Log, eventType, func() error { return broken }}
		if err := cleaner(h, log, 2).RunAll(t.Context()); !errors.Is(err, broken) {
			t.Fatalf("broken off with %v", err)
		}
	}
	check(t, cleaner(h, h.Log, 2).RunAll(t.Context()))
	check(t, cleaner(h, h.Log, 4).RunAll(t.Context()))
	at := h.LastSeq()
	check(t, cleaner(h, h.Log, 4).RunAll(t.Context()))
	if h.LastSeq() != at {
		t.Error("a run with nothing to do made events")
	}
	repo, err := h.Registry.Images.Repository(t.Context(), "alice/app")
	check(t, err)
	left, err := h.Registry.Images.Content(t.Context(), repo.ID)
	check(t, err)
	if len(left.Manifests) != 1 || len(left.Tags) != 1 || left.Tags[0].Name != "v3" || left.Tags[0].Digest != left.Manifests[0].Digest {
		t.Errorf("left %+v", left)
	}
	h.Rebuilt()
}

// A run goes by the policy of the moment: by that of its beginning, whatever its
// caller has read, and it ends when that is changed.
func TestPolicyWhileCleaning(t *testing.T) {
	onEach(t, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		for k := range 5 {
			c.MustPush(t, "alice/app", fmt.Sprint("v", k), registrytest.NewImage(fmt.Sprint(k)))
		}
		keep := func(n int, immutable ...string) events.RepositoryPolicy {
			return events.RepositoryPolicy{ImmutableTags: immutable, Cleanup: &events.Cleanup{KeepLast: n}}
		}
		old := rule(t, h, "alice/app", keep(1))
		rule(t, h, "alice/app", keep(2))
		log := &before{Log: h.Log, eventType: "tag.deleted.v1", do: func() error {
			h.SetPolicy("alice/app", keep(2, "v1"))
			return nil
		}}
		for _, want := range []int{1, 1, 0} { // v0, then v2, as v1 is immutable now
			done, err := cleaner(h, log, 8).Run(t.Context(), registrytest.By, old)
			check(t, err)
			if done != (cleanup.Done{Tags: want}) {
				t.Errorf("done %+v, want %d tags", done, want)
			}
		}
		repo := rule(t, h, "alice/app", events.RepositoryPolicy{})
		if tags, err := h.Registry.Images.Content(t.Context(), repo.ID); err != nil || len(tags.Tags) != 3 || tags.Tags[0].Name != "v1" {
			t.Errorf("%+v are left, %v", tags.Tags, err)
		}
	})
}
