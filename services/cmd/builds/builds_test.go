package builds

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// made are builds of one minute, whose ids begin alike; the last of them is of the hub's
// own images.
var made = []apitypes.Build{{ID: "019ad3f1-7c5e-7aaa-8bbb-1234567890ab", Rule: "release"}, {ID: "019ad3f1-7c5f-7aaa-8bbb-abcdef019ad3"}, {ID: "5f1c7a52-1c5e-5aaa-8bbb-0123000090ab", State: "ended",
	Rebuild: &apitypes.Rebuild{Base: "docker.io/acme/base:1", Was: "sha256:a", Now: "sha256:b"}}}

// hub answers as a hub with these builds of acme/app does.
func hub(t *testing.T) string {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any = apitypes.List[apitypes.Build]{Items: made}
		for _, b := range made {
			switch {
			case path.Base(r.URL.Path) == "retry":
				answer = apitypes.Build{ID: "019ad3f1-7c5f-7aaa-8bbb-000000000009", Rule: "release", Seq: 9}
			case path.Base(r.URL.Path) == b.ID:
				answer = apitypes.BuildDetails{Build: b, Bases: []apitypes.BuildBase{{Name: "docker.io/acme/base:1", Digest: "sha256:a", Repository: "acme/base", Tag: "1"}, {Name: "docker.io/library/alpine:3", Digest: "sha256:c"}}}
			}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	logins := client.Logins{Current: s.URL, Logins: map[string]client.Login{s.URL: {User: "alice"}}}
	if err := logins.Write(); err != nil {
		t.Fatal(err)
	}
	return s.URL
}

// A build is found by its short id, which is not that of another of the same minute, and
// by as much of the beginning or end of its id as no other has.
func TestBuildIsFound(t *testing.T) {
	server := hub(t)
	for text, want := range map[string]string{"": made[0].ID, made[0].Short(): made[0].ID, made[1].Short(): made[1].ID, made[2].Short(): made[2].ID, made[1].ID: made[1].ID, "5f1c": made[2].ID, "567890ab": made[0].ID,
		"90ab": "several", "019ad3f1": "several", "7c5e": "has no build"} {
		o := one{Target: console.Target{Server: server}, Repository: "acme/app", Build: text}
		_, _, found, err := o.open(&console.Session{Context: t.Context(), Data: console.DefaultData})
		if err != nil && !strings.Contains(err.Error(), want) || err == nil && found.ID != want {
			t.Errorf("%q is %q, %v; want %s", text, found.ID, err, want)
		}
	}
}

// Images of this hub are shown as it names them, and those of Docker Hub with its host.
func TestShowNamesImagesOfThisHub(t *testing.T) {
	var out bytes.Buffer
	c := showCmd{one{Target: console.Target{Server: hub(t)}, Repository: "acme/app", Build: made[2].ID}}
	if err := c.Run(&console.Session{Context: t.Context(), Data: console.DefaultData, Out: &out}); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{"made from acme/base:1@sha256:a", "made from docker.io/library/alpine:3@sha256:c", "made again acme/base:1 became sha256:b"} {
		if !strings.Contains(text, want) {
			t.Errorf("shown is %s, without %q", text, want)
		}
	}
}

// A retry says by which rule it builds, and what builds by those of now.
func TestRetrySaysByWhichRule(t *testing.T) {
	var out bytes.Buffer
	c := retryCmd{one{Target: console.Target{Server: hub(t)}, Repository: "acme/app", Build: made[0].ID}}
	if err := c.Run(&console.Session{Context: t.Context(), Data: console.DefaultData, Out: &out}); err != nil {
		t.Fatal(err)
	}
	const want = "Queued the build 00000009 (event 9), by the rule release as it was for the build 567890ab. A build trigger builds by the rules as they are now: hubledger rules triggers create acme/app NAME\n"
	if out.String() != want {
		t.Errorf("it says %q", out.String())
	}
}
