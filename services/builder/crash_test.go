package builder

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
)

// stepTags makes setting a tag a step.
type stepTags struct {
	*fakeTags
	life *processtest.Life
}

func (s stepTags) Tag(ctx context.Context, by command.By, repository, tag string, d digest.Digest) error {
	return s.life.Step(func() error { return s.fakeTags.Tag(ctx, by, repository, tag, d) })
}

func (s stepTags) Attach(ctx context.Context, by command.By, repository string, of digest.Digest, a image.Artifact) (d digest.Digest, err error) {
	err = s.life.Step(func() (err error) {
		d, err = s.fakeTags.Attach(ctx, by, repository, of, a)
		return err
	})
	return d, err
}

// live is the service in a life that may be killed, with the read model up to date.
func live(t testing.TB, l *processtest.Life) *Builder {
	t.Helper()
	db, view := l.ReadModel(&builds.Projection)
	return newBuilder(Config{Events: l.Log, Read: builds.Reader{DB: db}, View: view, Images: stepTags{&fakeTags{set: map[string]digest.Digest{}, log: l.Log}, l}, URL: "https://hub.test",
		Secrets: &fakeSecrets{value: bytes.Repeat([]byte{7}, 32)}, Logger: quiet, Account: setter, MayPush: mayAlways})
}

// prepared records events.
func prepared(list ...events.Payload) func(t testing.TB, l *processtest.Life) {
	return func(t testing.TB, l *processtest.Life) {
		for _, p := range list {
			_, err := command.Append(context.Background(), l.Log, tester, byRules(t, l.Log, p), events.AnySeq)
			check(t, err)
		}
		live(t, l)
	}
}

// A push queues one build for each rule that wants one, wherever the process dies.
func TestQueueingKilledAtEveryStep(t *testing.T) {
	processtest.KillAtEveryStep(t, processtest.World{
		Prepare: prepared(rulesOf(rule("base"), rule("top", "base"), rule("other")), moved("refs/heads/main", "", "c1"), evaluated("c1", "base", "top")),
		Manager: func(t testing.TB, l *processtest.Life) process.Manager { return live(t, l).queueing() },
		State: func(t testing.TB, l *processtest.Life) string {
			waiting, err := live(t, l).Read.InState(context.Background(), builds.Waiting)
			check(t, err)
			return fmt.Sprint(len(waiting), " builds wait")
		},
	})
}

// A build whose image was pushed gets its provenance and its tags, always the same, and
// ends once, wherever the process dies.
func TestPublishingKilledAtEveryStep(t *testing.T) {
	r := rule("base")
	r.Tags = []string{"base", "latest"}
	processtest.KillAtEveryStep(t, processtest.World{
		Prepare: prepared(rulesOf(r), moved("refs/heads/main", "", "c1"),
			events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(20), Source: id(git), Ref: "refs/heads/main", Kind: events.RefBranch, Commit: "c1", Rule: r, Tags: r.Tags},
			events.BuildClaimed{Namespace: id(acme), Build: id(20), Builder: "local", Epoch: 1}, events.BuildPushed{Namespace: id(acme), Build: id(20), Epoch: 1, Digest: madeDigest}),
		Manager: func(t testing.TB, l *processtest.Life) process.Manager { return live(t, l).publishing() },
		State: func(t testing.TB, l *processtest.Life) string {
			b, err := live(t, l).Read.Build(context.Background(), id(20))
			check(t, err)
			return b.State + " " + b.End.Outcome + " " + b.End.Provenance
		},
	})
}
