package api_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"hubledger/services/api"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
)

// The same key with the same request gets the first answer, byte for byte, and
// changes nothing; with another request it is refused.
func TestIdempotencyKey(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.user("bob")
	key := uuid.NewString()
	issue := func(as, name string) answer {
		return k.do(as, "POST", "/api/v1/users/"+as+"/tokens", object{"name": name, "level": "read"}, "Idempotency-Key", key)
	}
	first := issue("alice", "ci").want(201)
	before := k.LastSeq()
	again := issue("alice", "ci").want(201)
	if again.Body.String() != first.Body.String() || again.Header().Get("Hubledger-Sequence") != first.Header().Get("Hubledger-Sequence") ||
		again.Header().Get("Content-Type") != first.Header().Get("Content-Type") || again.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("first %v %s\nagain %v %s", first.Header(), first.Body, again.Header(), again.Body)
	}
	if after := k.LastSeq(); after != before {
		t.Errorf("%d events more", after-before)
	}
	if a := issue("alice", "other").want(422); !strings.Contains(a.Body.String(), "another request") {
		t.Error(a.Body)
	}
	k.do("alice", "POST", "/api/v1/orgs", object{"name": "ci"}, "Idempotency-Key", key).want(422)
	// Another account's key is another key.
	if a := issue("bob", "ci").want(201); a.Body.String() == first.Body.String() {
		t.Error("bob got alice's token")
	}
	// A refused request is decided anew, and its key may be used for another request.
	other := uuid.NewString()
	k.do("alice", "POST", "/api/v1/orgs", object{"name": "BAD"}, "Idempotency-Key", other).want(422)
	if a := k.do("alice", "POST", "/api/v1/orgs", object{"name": "BAD"}, "Idempotency-Key", other).want(422); a.Header().Get("Idempotency-Replayed") != "" {
		t.Error("the refusal was remembered")
	}
	k.do("alice", "POST", "/api/v1/orgs", object{"name": "good"}, "Idempotency-Key", other).want(201)
	k.do("", "POST", "/api/v1/orgs", object{"name": "acme"}, "Idempotency-Key", other).want(401)
	k.do("alice", "POST", "/api/v1/orgs", object{"name": "acme"}, "Idempotency-Key", "short").want(400)
}

// Of many requests with one key at the same time one is carried out. The others
// get its answer, or learn that there is none yet.
func TestIdempotencyKeyAtOnce(t *testing.T) {
	k := start(t)
	k.user("alice")
	before, key := k.LastSeq(), uuid.NewString()
	answers := make([]answer, 8)
	var work sync.WaitGroup
	for i := range answers {
		work.Go(func() {
			answers[i] = k.do("alice", "POST", "/api/v1/users/alice/tokens", object{"name": "ci", "level": "read"}, "Idempotency-Key", key)
		})
	}
	work.Wait()
	body := ""
	for _, a := range answers {
		switch a.want(201, 409).Code {
		case 201:
			if body != "" && a.Body.String() != body {
				t.Errorf("two answers: %s and %s", body, a.Body)
			}
			body = a.Body.String()
		case 409:
			if a.Header().Get("Retry-After") == "" {
				t.Error("409 without Retry-After")
			}
		}
	}
	if after := k.LastSeq(); after != before+1 || body == "" {
		t.Errorf("%d events for one token", after-before)
	}
}

// A kept answer may have a secret in it, which its file does not show.
func TestKeptAnswersAreSealed(t *testing.T) {
	k := start(t)
	k.user("alice")
	var made struct{ Token string }
	k.do("alice", "POST", "/api/v1/users/alice/tokens", object{"name": "ci", "level": "read"}, "Idempotency-Key", uuid.NewString()).want(201).into(&made)
	if made.Token == "" {
		t.Fatal("no token")
	}
	for _, found := range k.filesWith(made.Token) {
		t.Errorf("%s has the token", found)
	}
	if len(k.filesWith("alice")) == 0 {
		t.Error("the test finds nothing in files at all")
	}
}

// behind is read models that never catch up.
type behind struct{}

func (behind) Wait(context.Context, uint64) error { return context.DeadlineExceeded }
func (behind) Look() command.Look                 { return command.Look{} }

// A change that the read models do not show in time is reported as made, and is
// not made again.
func TestSlowReadModels(t *testing.T) {
	k := start(t)
	k.user("alice")
	key, before := uuid.NewString(), k.LastSeq()
	k.replace(func(_ *api.Config, e *endpoint.Config) { e.ReadModels = behind{} })
	for range 2 {
		a := k.do("alice", "POST", "/api/v1/orgs", object{"name": "acme"}, "Idempotency-Key", key).want(503)
		if a.Header().Get("Hubledger-Sequence") == "" || !strings.Contains(a.Body.String(), "was made") {
			t.Errorf("%v %s", a.Header(), a.Body)
		}
	}
	if after := k.LastSeq(); after != before+2 { // the organization and its owner
		t.Errorf("%d events", after-before)
	}
}
