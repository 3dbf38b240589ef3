package remote_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/events"
	"hubledger/services/builder/fetch"
	"hubledger/services/builder/remote"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/build"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/repository"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

var claim = worker.Claim{Build: "0191d1a0-0000-7000-8000-000000000001", Epoch: 3}

// A fakeHub remembers what it was told, and answers with err.
type fakeHub struct {
	err  error
	told []any
}

func (h *fakeHub) Next(context.Context) (*worker.Assignment, error) {
	return &worker.Assignment{Claim: claim, Repository: "acme/app", Rule: events.BuildRule{Name: "r", Args: map[string]string{"A": "1"}},
		Source: fetch.Source{URL: gitremote.URL{Scheme: "https", Host: "git.test", Path: "/a"}, Commit: "c", With: gitremote.Credentials{User: "u", Password: "p", Key: []byte{0, 255}}, LFS: true}}, h.err
}

func (h *fakeHub) Renew(_ context.Context, o worker.Offer, have []worker.Claim) ([]worker.Claim, error) {
	h.told = append(h.told, o, have)
	return have, h.err
}

func (h *fakeHub) Say(_ context.Context, c worker.Claim, p events.Payload) error {
	h.told = append(h.told, c, p)
	return h.err
}

func (h *fakeHub) Log(_ context.Context, c worker.Claim, step int, data []byte) error {
	h.told = append(h.told, c, step, string(data))
	return h.err
}

func (h *fakeHub) Token(_ context.Context, c worker.Claim, repository string, push bool) (string, time.Time, error) {
	h.told = append(h.told, c, repository, push)
	return "secret", time.Now().Add(time.Minute), h.err
}

// A wire joins a client with a hub. down is how many requests are lost.
type wire struct {
	hub  *fakeHub
	down int
}

func (w *wire) Request(ctx context.Context, operation string, data []byte) ([]byte, error) {
	if w.down > 0 {
		w.down--
		return nil, errors.New("the wire is cut")
	}
	return remote.Answer(ctx, w.hub, quiet, operation, data), nil
}

// What a builder says arrives as it was said, and so does the answer.
func TestRoundTrip(t *testing.T) {
	h := &fakeHub{}
	c := remote.Client{Conn: &wire{hub: h}}
	ctx := t.Context()
	want, _ := h.Next(ctx)
	if a, err := c.Next(ctx); err != nil || text(a) != text(want) || a.Source.With.Password != "p" {
		t.Errorf("given is %+v, %v", a, err)
	}
	offer := worker.Offer{Platforms: []string{"linux/amd64"}, Places: 2}
	if gone, err := c.Renew(ctx, offer, []worker.Claim{claim}); err != nil || len(gone) != 1 || gone[0] != claim {
		t.Errorf("gone is %v, %v", gone, err)
	}
	step := events.BuildStepEnded{Build: claim.Build, Epoch: 3, Step: 1, Kind: events.StepFetch, Began: time.Now().UTC().Truncate(0)}
	if err := c.Say(ctx, claim, step); err != nil {
		t.Error(err)
	}
	if err := c.Log(ctx, claim, 7, []byte("\x00\xff\n")); err != nil {
		t.Error(err)
	}
	token, ends, err := c.Token(ctx, claim, "acme/app", true)
	if left := time.Until(ends); err != nil || token != "secret" || left < 50*time.Second || left > time.Minute {
		t.Errorf("the token is %q until %v, %v", token, ends, err)
	}
	told := []any{offer, []worker.Claim{claim}, claim, step, claim, 7, "\x00\xff\n", claim, "acme/app", true}
	if text(h.told) != text(told) {
		t.Errorf("the hub was told\n%s, not\n%s", text(h.told), text(told))
	}
}

func text(v any) string {
	encoded, _ := json.Marshal(v)
	return string(encoded)
}

// A token comes with how long it lasts, not with when it ends: the clock of a builder may
// be an hour off.
func TestTokensLastByAnyClock(t *testing.T) {
	request, err := json.Marshal(struct {
		worker.Claim
		Repository string `json:"repository"`
	}{claim, "acme/app"})
	if err != nil {
		t.Fatal(err)
	}
	answer := remote.Answer(t.Context(), &fakeHub{}, quiet, "token", request)
	var got struct {
		Value struct{ Lasts time.Duration }
	}
	if err := json.Unmarshal(answer, &got); err != nil || got.Value.Lasts < 50*time.Second || got.Value.Lasts > time.Minute || strings.Contains(string(answer), time.Now().UTC().Format("2006-")) {
		t.Errorf("it is answered %s, %v", answer, err)
	}
}

// A builder learns why it is refused, and nothing of what has failed inside the hub. It
// tries again what may work later, as long as it may go on without the hub.
func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		is    error
		tries int // at least
	}{
		"epoch":   {build.ErrEpoch, build.ErrEpoch, 1},
		"ended":   {build.ErrEnded, build.ErrEnded, 1},
		"report":  {build.ErrReport, build.ErrReport, 1},
		"refused": {errors.Join(worker.ErrDenied, errors.New("deleted")), worker.ErrDenied, 1},
		"inside":  {errors.New("the password of the database is x"), nil, 50},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &fakeHub{err: c.err}
				began := time.Now()
				err := remote.Client{Conn: &wire{hub: h}}.Log(t.Context(), claim, 1, []byte("a line\n"))
				if err == nil || c.is != nil && !errors.Is(err, c.is) || strings.Contains(err.Error(), "password") {
					t.Errorf("it is told %v", err)
				}
				if n := len(h.told) / 3; n < c.tries || c.tries == 1 && n > 1 || time.Since(began) > worker.Unheard+10*time.Second {
					t.Errorf("it has tried %d times in %v", n, time.Since(began))
				}
			})
		})
	}
}

// A hub that is away for a while ends nothing: what a builder has to say is said then.
func TestHubAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{hub: &fakeHub{}, down: 20}
		if err := (remote.Client{Conn: w}).Log(t.Context(), claim, 1, []byte("x")); err != nil || len(w.hub.told) != 3 {
			t.Errorf("%v, the hub was told %v", err, w.hub.told)
		}
		w.down = 1000
		if err := (remote.Client{Conn: w}).Log(t.Context(), claim, 1, []byte("x")); err == nil {
			t.Error("it waits for ever")
		}
		w.down = 1
		if _, err := (remote.Client{Conn: w}).Renew(t.Context(), worker.Offer{}, nil); err == nil {
			t.Error("a renewal that failed is none")
		}
	})
}

// What no builder of ours sends is refused, before it comes to the hub.
func TestHostileRequests(t *testing.T) {
	long := strings.Repeat("x", 300<<10)
	many := "[" + strings.TrimSuffix(strings.Repeat(`{"build":"x","epoch":1},`, 200), ",") + "]"
	for name, c := range map[string]struct{ operation, data string }{
		"no operation":          {"", `{}`},
		"another operation":     {"claim", `{}`},
		"no JSON":               {"say", `{`},
		"another event":         {"say", `{"build":"b","epoch":1,"type":"user.erased.v1","data":{"user":"x"}}`},
		"an unknown event":      {"say", `{"build":"b","epoch":1,"type":"x.y.v1","data":{}}`},
		"a claim":               {"say", `{"build":"b","epoch":1,"type":"build.claimed.v1","data":{}}`},
		"no event":              {"say", `{"build":"b","epoch":1}`},
		"a large event":         {"say", `{"build":"b","epoch":1,"type":"build.finished.v1","data":{"detail":"` + long + `"}}`},
		"a large push":          {"say", `{"build":"b","epoch":1,"type":"build.pushed.v1","data":{"readme":"` + strings.Repeat(long, 4) + `"}}`},
		"an empty chunk":        {"log", `{"build":"b","epoch":1,"step":1}`},
		"a large chunk":         {"log", `{"build":"b","epoch":1,"data":"` + strings.Repeat("AAAA", 100<<10) + `"}`},
		"a step before zero":    {"log", `{"build":"b","epoch":1,"step":-1}`},
		"a long name":           {"token", `{"build":"b","epoch":1,"repository":"` + long + `"}`},
		"many places":           {"renew", `{"places":65,"platforms":["linux/amd64"]}`},
		"places before zero":    {"renew", `{"places":-1}`},
		"a platform":            {"renew", `{"places":1,"platforms":["linux/amd64,x"]}`},
		"many builds":           {"renew", `{"places":1,"have":` + many + `}`},
		"epoch of another kind": {"log", `{"build":"b","epoch":"1"}`},
	} {
		h := &fakeHub{}
		answer := string(remote.Answer(t.Context(), h, quiet, c.operation, []byte(c.data)))
		if len(h.told) > 0 || !strings.Contains(answer, `"code":"report"`) || len(answer) > 2000 {
			t.Errorf("%s: %.300s, the hub was told %.100v", name, answer, h.told)
		}
	}
}

// The longest README comes through, whatever its characters take in JSON.
func TestLongReadme(t *testing.T) {
	h := &fakeHub{}
	pushed := events.BuildPushed{Build: claim.Build, Epoch: claim.Epoch, Readme: strings.Repeat("<", repository.MaxReadme)}
	if err := (remote.Client{Conn: &wire{hub: h}}).Say(t.Context(), claim, pushed); err != nil {
		t.Fatal(err)
	}
	if got := h.told[1].(events.BuildPushed); got.Readme != pushed.Readme {
		t.Errorf("%d bytes came", len(got.Readme))
	}
}
