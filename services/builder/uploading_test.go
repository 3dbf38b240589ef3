package builder

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/build"
	"hubledger/services/internal/service"
)

var uploadDigest = digest.FromString("a tar file")

// queueUpload queues a build of an uploaded directory for acme/app, which has no rules.
func (w *world) queueUpload(n int, test bool, tags ...string) {
	w.t.Helper()
	w.record(events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(n), Rule: events.BuildRule{Tags: tags, Autobuild: true, Args: map[string]string{"A": "1"}}, Tags: tags, Test: test,
		Upload: &events.BuildUpload{Name: "acme/app", Digest: uploadDigest.String(), Size: 10, Account: "alice", Token: "token"}})
}

// tokens gives tokens that say what they are for.
func (w *world) tokens() {
	w.Account = func(_ context.Context, r *builds.Rules) (string, error) { return "owner of " + r.Namespace, nil }
	w.Token = func(_ context.Context, account, by, repository string, push bool) (string, time.Time, error) {
		if push {
			repository += " push"
		} else {
			repository += " pull"
		}
		return "by-" + by + " " + repository, time.Now().Add(time.Minute), nil
	}
}

// An uploaded directory is fetched by the rights of who asked for it, and built by what was
// asked for; its image has its tags and a provenance that names the directory.
func TestUploadedDirectory(t *testing.T) {
	w := newWorld(t)
	w.tokens()
	w.driver.files = map[string]string{"Dockerfile": "FROM scratch"}
	w.record(rulesOf()) // as in a repository without automated builds
	w.queueUpload(20, false, "dev")
	w.start()
	b := w.await(20, builds.Pushed)
	w.stop()
	spec := w.driver.specs()[0]
	if spec.Image != "hub.test/acme/app" || spec.Args["A"] != "1" || len(spec.Labels) != 0 || spec.Facts.Tests || len(spec.Secrets) != 0 {
		t.Errorf("the driver is given %+v", spec)
	}
	end, err := w.publish(t.Context(), b)
	if err != nil || end.Outcome != events.BuildSucceeded || strings.Join(end.Tags, " ") != "dev" {
		t.Errorf("it ended as %+v, %v", end, err)
	}
	var envelope struct{ DSSEEnvelope struct{ Payload []byte } }
	check(t, json.Unmarshal(w.tags.attached[0].Content, &envelope))
	if text := string(envelope.DSSEEnvelope.Payload); !strings.Contains(text, `"resolvedDependencies":[{"name":"uploaded directory","digest":{"sha256":"`+uploadDigest.Encoded()+`"}}]`) || strings.Contains(text, "git") {
		t.Errorf("its provenance is %s", text)
	}
}

// People are told that a directory was built, and which.
func TestUploadSentence(t *testing.T) {
	e, err := events.New(events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(20), Tags: []string{"dev", "latest"},
		Upload: &events.BuildUpload{Name: "acme/app", Digest: uploadDigest.String()}}, events.Meta{ID: id(9), Source: "/test", Actor: "alice"})
	check(t, err)
	got := service.SentencesOf([]service.Service{{Sentences: sentences}}).Say(named{}, &e).String()
	for _, want := range []string{"acme/app:dev, acme/app:latest", " from an uploaded directory, sha256:159c962521d0"} {
		if !strings.Contains(got, want) {
			t.Errorf("it says %q, without %q", got, want)
		}
	}
	e, err = events.New(events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(20), Test: true, Upload: &events.BuildUpload{Name: "acme/app", Digest: uploadDigest.String()}},
		events.Meta{ID: id(9), Source: "/test", Actor: "alice"})
	check(t, err)
	if got := service.SentencesOf([]service.Service{{Sentences: sentences}}).Say(named{}, &e).String(); !strings.Contains(got, ", a test of acme/app from an uploaded directory") {
		t.Errorf("of a test it says %q", got)
	}
}

// named calls every repository acme/app.
type named struct{ service.Names }

func (named) Repository(string) string { return "acme/app" }

// Autotests of a directory run when they are asked for, whether it is pushed or not.
func TestUploadedAutotests(t *testing.T) {
	for _, asked := range []bool{false, true} {
		for _, test := range []bool{false, true} {
			w := newWorld(t)
			w.tokens()
			in := apitypes.BuildUploadRequest{Digest: uploadDigest.String(), Autotest: asked, NoPush: test}
			if !test {
				in.Tags = []string{"dev"}
			}
			rule, err := uploadRule(in)
			check(t, err)
			w.record(events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(20), Rule: rule, Tags: rule.Tags, Test: test,
				Upload: &events.BuildUpload{Name: "acme/app", Digest: uploadDigest.String(), Size: 1, Account: "account", Token: "token"}})
			w.start()
			if test {
				w.await(20, builds.Ended)
			} else {
				w.await(20, builds.Pushed)
			}
			w.stop()
			if made := w.driver.specs(); len(made) != 1 || made[0].Facts.Tests != asked {
				t.Errorf("asked %v, not pushed %v: the driver is given %+v", asked, test, made)
			}
		}
	}
}

// Nothing but pulling is done for a build that is not pushed, and an account or an access
// token that is not good any more gets nothing, with a reason.
func TestUploadTokens(t *testing.T) {
	w := newWorld(t)
	w.tokens()
	w.queueUpload(20, true)
	w.record(events.BuildClaimed{Namespace: id(acme), Build: id(20), Builder: "local", Epoch: 1})
	hub := worker.CredentialsOf(attempts{w.Builder, "local", ""}, id(20)+"-1")
	if _, _, err := hub.Token(t.Context(), "acme/app", true); !errors.Is(err, worker.ErrDenied) {
		t.Errorf("to push: %v", err)
	}
	for repository, want := range map[string]string{"acme/app": "by-token acme/app pull", "acme/base": "by-token acme/base pull", "bob/private": ""} {
		if got, _, err := hub.Token(t.Context(), repository, false); err != nil || got != want {
			t.Errorf("to pull %s: %q, %v", repository, got, err)
		}
	}
	for _, why := range []error{access.ErrAccount, access.ErrCredential} {
		w.Token = func(context.Context, string, string, string, bool) (string, time.Time, error) {
			return "", time.Time{}, why
		}
		if _, _, err := hub.Token(t.Context(), "acme/app", false); !errors.Is(err, worker.ErrDenied) || !strings.Contains(err.Error(), why.Error()) {
			t.Errorf("%v: %v", why, err)
		}
	}
}

// Of two builds of which one is of an uploaded directory, that has the tag which was queued
// later, in whatever order they end.
func TestUploadAndTag(t *testing.T) {
	for name, c := range map[string]struct {
		first, second string // that were queued
	}{"two uploads": {"upload", "upload"}, "a commit and an upload": {"git", "upload"}, "an upload and a commit": {"upload", "git"}} {
		w := newWorld(t)
		w.tokens()
		for n, kind := range []string{c.first, c.second} {
			if kind == "git" {
				w.queue(20+n, "c1", rule("dev"))
			} else {
				w.queueUpload(20+n, false, "dev")
			}
		}
		end := func(n int, d digest.Digest) *events.BuildFinished {
			t.Helper()
			w.tags.made = d.String()
			w.record(events.BuildClaimed{Namespace: id(acme), Build: id(n), Builder: "local", Epoch: 1}, events.BuildPushed{Namespace: id(acme), Build: id(n), Epoch: 1, Digest: d.String()})
			b, err := w.Read.Build(t.Context(), id(n))
			check(t, err)
			e, err := w.publish(t.Context(), b)
			check(t, err)
			w.record(*e)
			return e
		}
		if e := end(21, digestOf(2)); e.Outcome != events.BuildSucceeded {
			t.Errorf("%s: the second ended as %+v", name, e)
		}
		if e := end(20, digestOf(1)); e.Outcome != events.BuildSuperseded || !strings.Contains(e.Detail, "was queued later and has it") {
			t.Errorf("%s: the first, which ended later, ended as %+v", name, e)
		}
		if d := w.tags.set["dev"]; d != digestOf(2) {
			t.Errorf("%s: the tag names %s", name, d)
		}
	}
}

// What cannot be built is refused with a reason.
func TestUploadRequests(t *testing.T) {
	good := apitypes.BuildUploadRequest{Digest: uploadDigest.String(), Tags: []string{"dev"}, Dockerfile: "docker/Dockerfile", Platforms: []string{"linux/amd64"}}
	if r, err := uploadRule(good); err != nil || r.Name != "" || r.Branch != "" || !r.Cache || len(r.Secrets) != 0 {
		t.Errorf("a good one is %+v, %v", r, err)
	}
	for want, change := range map[string]func(in *apitypes.BuildUploadRequest){
		"is no digest":            func(in *apitypes.BuildUploadRequest) { in.Digest = "latest" },
		"\"sha512:":               func(in *apitypes.BuildUploadRequest) { in.Digest = digest.SHA512.FromString("x").String() },
		"has at least one tag":    func(in *apitypes.BuildUploadRequest) { in.Tags = nil },
		"has no tags":             func(in *apitypes.BuildUploadRequest) { in.NoPush = true },
		"is no tag":               func(in *apitypes.BuildUploadRequest) { in.Tags = []string{"{sourceref}"} },
		"outside of the uploaded": func(in *apitypes.BuildUploadRequest) { in.Dockerfile = "a/../../Dockerfile" },
		"\"/etc/passwd\"":         func(in *apitypes.BuildUploadRequest) { in.Dockerfile = "/etc/passwd" },
		"platforms":               func(in *apitypes.BuildUploadRequest) { in.Platforms = []string{"windows"} },
		"args":                    func(in *apitypes.BuildUploadRequest) { in.Args = map[string]string{"A=B": ""} },
		"target":                  func(in *apitypes.BuildUploadRequest) { in.Target = "../x" },
		"keep their layers":       func(in *apitypes.BuildUploadRequest) { in.Tags = []string{"buildcache"} },
		"labels":                  func(in *apitypes.BuildUploadRequest) { in.Labels = map[string]string{"a": strings.Repeat("x", 5000)} },
	} {
		in := good
		change(&in)
		if _, err := uploadRule(in); !errors.Is(err, build.ErrUpload) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
