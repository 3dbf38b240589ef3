package trail_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/images"
	"hubledger/projections/pgtest"
	"hubledger/projections/projectiontest"
	"hubledger/projections/trail"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// audiences says, apart from the code, who may read each type of event besides
// administrators of the hub, by the letters of the kinds: r reads the repository, w
// pushes to it, a administers it, m is in the namespace, o owns it, u is the user.
var audiences = map[string]string{
	"hub.initialized.v1": "", "log.redacted.v1": "", "logins.refused.v1": "", "machine.invited.v1": "", "machine.enrolled.v1": "", "machine.revoked.v1": "",
	"blobs.swept.v1": "", "pulls.counted.v1": "",
	"namespace.created.v1": "m", "namespace.adopted.v1": "m", "quota.set.v1": "m",
	"user.standing_changed.v1": "u", "user.password_changed.v1": "u", "user.second_factor_changed.v1": "u", "user.email_changed.v1": "u", "user.erased.v1": "u",
	"token.issued.v1": "u", "token.revoked.v1": "ou", "star.given.v1": "u", "star.withdrawn.v1": "u",
	"membership.granted.v1": "ou", "membership.revoked.v1": "ou", "membership.invited.v1": "ou", "membership.uninvited.v1": "ou",
	"team.created.v1": "o", "team.deleted.v1": "o", "robot.created.v1": "o", "robot.deleted.v1": "o",
	"grant.given.v1": "a", "grant.withdrawn.v1": "a", // the samples are on a repository, to a team
	"repository.created.v1": "r", "repository.deleted.v1": "r", "repository.restored.v1": "r", "repository.policy_changed.v1": "r",
	"repository.visibility_changed.v1": "r", "repository.described.v1": "r", "repository.summary_changed.v1": "r",
	"refusals.counted.v1": "au", // the sample is of a user who could see the repository
	"image.pushed.v1":     "r", "image.tagged.v1": "r", "tag.deleted.v1": "r", "tag.restored.v1": "r", "manifest.deleted.v1": "r", "manifest.restored.v1": "r",
	"source.linked.v1": "m", "source.changed.v1": "m", "source.unlinked.v1": "m", "ref.moved.v1": "m", "refs.recorded.v1": "m",
	"hook.received.v1": "m", "hook.redelivered.v1": "m", "hook.refused.v1": "m",
	"pull_request.changed.v1": "m", "pull_requests.watched.v1": "m", "status.sent.v1": "m", "status.given_up.v1": "m",
	"application.created.v1": "m", "application.changed.v1": "m", "application.deleted.v1": "m", "environment.created.v1": "m", "environment.deleted.v1": "m",
	"configuration.set.v1": "o", "release.made.v1": "m",
	"placement.set.v1": "m", "deploy_policy.set.v1": "m", "gate_hook.set.v1": "m", "gate_hook.removed.v1": "m", "deployment.requested.v1": "m", "deployment.admitted.v1": "m", "deployment.refused.v1": "m",
	"deployment.pulled.v1": "m", "deployment.healthy.v1": "m", "deployment.shifted.v1": "m", "deployment.gate_changed.v1": "m", "deployment.promoted.v1": "m",
	"deployment.rolled_back.v1": "m", "deployment.cancelled.v1": "m", "deployment.failed.v1": "m", "deployment.host_excluded.v1": "m", "deployment.overdue.v1": "m",
	"deployment.finished.v1": "m", "deployment.torn_down.v1": "m",
	"rules.set.v1": "w", "push.evaluated.v1": "w", "push.requested.v1": "w", "build.queued.v1": "w",
	// The samples are of an earlier version, which does not name the repository.
	"build.claimed.v1": "o", "build.step_ended.v1": "o", "build.pushed.v1": "o", "build.lost.v1": "o", "build.finished.v1": "o", "build.log_sealed.v1": "o",
	"build_secret.set.v1": "a", "build_secret.removed.v1": "a", "trigger.created.v1": "a", "trigger.deleted.v1": "a",
}

// sample is the event of events/testdata.
func sample(t *testing.T, name string) events.Event {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "events", "testdata", name+".json"))
	check(t, err)
	var s struct {
		Seq        uint64
		Subject    string
		Attributes map[string]string
		Data       json.RawMessage
	}
	check(t, json.Unmarshal(text, &s))
	e := events.Event{Seq: s.Seq, Subject: s.Subject, Data: s.Data}
	for name, value := range s.Attributes {
		e.Set(name, value)
	}
	return e
}

func kinds(p events.Payload) string {
	var letters []byte
	for _, a := range trail.AudienceOf(p) {
		letters = append(letters, byte(a.Kind))
	}
	slices.Sort(letters)
	return string(letters)
}

// Every type of event has an entry that says who may read it. A new one is added here
// and to the rules.
func TestEveryTypeHasAnAudience(t *testing.T) {
	for _, typ := range events.Types {
		name := typ.Prototype.EventType()
		want, ok := audiences[name]
		if !ok {
			t.Errorf("nothing says who may read %s", name)
			continue
		}
		if !trail.Ruled(name) {
			t.Errorf("projections/trail/audience.go has no rule for %s", name)
		}
		e := sample(t, name)
		p, err := events.Decode(&e)
		check(t, err)
		if got := kinds(p); got != want {
			t.Errorf("%s is for %q, want %q", name, got, want)
		}
	}
	for what, c := range map[string]struct {
		payload events.Payload
		want    string
	}{
		"grant on a namespace":     {events.GrantGiven{Namespace: id(1), Grantee: id(2), GranteeKind: events.GranteeTeam}, "o"},
		"grant to a user":          {events.GrantGiven{Namespace: id(1), Repository: id(3), Grantee: id(2), GranteeKind: events.GranteeUser}, "au"},
		"end of a grant to a user": {events.GrantWithdrawn{Namespace: id(1), Grantee: id(2), GranteeKind: events.GranteeUser}, "ou"},
		"token of a robot account": {events.TokenIssued{Namespace: id(1), Owner: id(2), OwnerKind: events.GranteeRobot}, "o"},
		"build":                    {events.BuildFinished{Namespace: id(1), Repository: id(3)}, "w"},
		"step of a build":          {events.BuildStepEnded{Namespace: id(1), Repository: id(3)}, "w"},
		"nothing known":            {nil, ""},
	} {
		if got := kinds(c.payload); got != c.want {
			t.Errorf("%s is for %q, want %q", what, got, c.want)
		}
	}
}

func id(n int) string { return fmt.Sprintf("0191d1a0-0000-7000-8000-%012d", n) }

// open projects a log.
func open(t *testing.T, storage projections.Storage, log projections.Source) trail.Reader {
	t.Helper()
	store, err := storage.Open(t.Context(), &trail.Projection, projections.Options{Logger: projectiontest.Quiet})
	check(t, err)
	t.Cleanup(func() { check(t, store.Close()) })
	last, err := log.LastSeq(t.Context())
	check(t, err)
	check(t, projections.CatchUp(t.Context(), store, log, last, projectiontest.Quiet))
	return trail.Reader{DB: store.DB()}
}

// Each list has the events that have its property, in either direction and in pieces.
func TestLists(t *testing.T) {
	projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
		ctx := t.Context()
		log := projectiontest.RegistryEvents(projectiontest.Seed(t), 200, 0)
		all := log.Events()
		r := open(t, storage, log)
		some := all[len(all)/2]
		var pushed events.ImagePushed
		var layer digest.Digest
		for k := range all {
			if p, err := events.Decode(&all[k]); err == nil {
				if p, ok := p.(events.ImagePushed); ok {
					pushed = p
					if m, err := images.ParseManifest(p.Manifest); err == nil && len(m.Layers) > 0 {
						layer = m.Layers[len(m.Layers)-1].Digest
					}
				}
			}
		}
		names := func(e *events.Event, digest string) bool {
			if p, err := events.Decode(e); err == nil {
				if push, ok := p.(events.ImagePushed); ok && strings.Contains(string(push.Manifest), `"digest":"`+digest+`"`) {
					return true
				}
			}
			return e.Type() != "pulls.counted.v1" &&
				strings.Contains(string(e.Data), `"digest":"`+digest+`"`)
		}
		for what, c := range map[string]struct {
			lists []trail.List
			has   func(e *events.Event) bool
		}{
			"type":      {[]trail.List{trail.OfType(some.Type())}, func(e *events.Event) bool { return e.Type() == some.Type() }},
			"two types": {[]trail.List{trail.OfType("image.pushed.v1"), trail.OfType("tag.deleted.v1")}, func(e *events.Event) bool { return e.Type() == "image.pushed.v1" || e.Type() == "tag.deleted.v1" }},
			"actor":     {[]trail.List{trail.OfActor("alice")}, func(e *events.Event) bool { return e.Actor() == "alice" }},
			"id":        {[]trail.List{trail.OfID(some.ID())}, func(e *events.Event) bool { return e.Seq == some.Seq }},
			"namespace": {[]trail.List{trail.OfNamespace(pushed.Namespace)}, func(e *events.Event) bool { return strings.HasPrefix(e.Subject, "evt."+pushed.Namespace+".") }},
			"repository": {trail.OfRepository(pushed.Repository), func(e *events.Event) bool {
				return e.Type() != "pulls.counted.v1" && strings.Contains(string(e.Data), `"repository":"`+pushed.Repository)
			}},
			"digest":  {[]trail.List{trail.OfDigest(pushed.Digest)}, func(e *events.Event) bool { return names(e, pushed.Digest.String()) }},
			"layer":   {[]trail.List{trail.OfDigest(layer)}, func(e *events.Event) bool { return names(e, layer.String()) }},
			"nothing": {[]trail.List{trail.OfActor("nobody"), ""}, func(*events.Event) bool { return false }},
		} {
			var want []uint64
			for k := range all {
				if c.has(&all[k]) {
					want = append(want, all[k].Seq)
				}
			}
			if (len(want) == 0) != (what == "nothing") {
				t.Fatalf("%s: the history has %d", what, len(want))
			}
			var oldest, newest []uint64
			for in := (trail.Range{}); ; {
				part, err := r.Seqs(ctx, c.lists, in, false, 7)
				check(t, err)
				if oldest = append(oldest, part...); len(part) < 7 {
					break
				}
				in.After = part[6]
			}
			for in := (trail.Range{}); ; {
				part, err := r.Seqs(ctx, c.lists, in, true, 7)
				check(t, err)
				if newest = append(newest, part...); len(part) < 7 {
					break
				}
				in.Before = part[6]
			}
			slices.Reverse(newest)
			if !slices.Equal(oldest, want) || !slices.Equal(newest, want) {
				t.Errorf("%s: %v and %v, want %v", what, oldest, newest, want)
			}
			every, err := r.All(ctx, trail.Range{}, false, len(all)+1)
			check(t, err)
			for _, step := range []int{1, 2, 9} { // sequences close together and far apart
				for k := range every {
					if has, err := r.Having(ctx, c.lists, nth(every[k:], step)); err != nil || has[every[k]] != slices.Contains(want, every[k]) || len(has) > len(every[k:])/step+1 {
						t.Errorf("%s: every %dth from event %d: %v, %v", what, step, every[k], has, err)
					}
				}
			}
		}
		digits := pushed.Digest.Encoded()
		for _, n := range []int{12, 13, 64} {
			lists, err := r.DigestsBeginning(ctx, digits[:n])
			if err != nil || len(lists) != 1 || lists[0] != trail.OfDigest(pushed.Digest) {
				t.Errorf("the first %d digits of a digest: %q, %v", n, lists, err)
			}
		}
	})
}

func nth(seqs []uint64, step int) (list []uint64) {
	for k := 0; k < len(seqs); k += step {
		list = append(list, seqs[k])
	}
	return list
}

// The first event at or after a time is found, whether there is one or not.
func TestAt(t *testing.T) {
	log := &projectiontest.Log{}
	begin := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for k := range 50 {
		e := events.Event{Subject: "evt._.x.1"}
		e.Set(events.AttrTime, begin.Add(time.Duration(k/2)*time.Minute).Format(events.TimeLayout))
		log.Append(e)
	}
	projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
		r := open(t, storage, log)
		for after, want := range map[time.Duration]uint64{-time.Hour: 1, 0: 1, time.Second: 3, time.Minute: 3, 24 * time.Minute: 49, time.Hour: 51} {
			if got, err := r.At(t.Context(), begin.Add(after)); err != nil || got != want {
				t.Errorf("%v after the first: %d, %v, want %d", after, got, err, want)
			}
		}
	})
}
