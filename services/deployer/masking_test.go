package deployer

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/deployment"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/process"
)

// What a host says gets into the log and to members without the secrets of the environment, also
// where it is cut.
func TestWhatHostsSayHasNoSecrets(t *testing.T) {
	const secret = "hunter2-and-more"
	text := strings.Repeat("x", 495) + secret // an event has 500 bytes of it
	for _, fatal := range []bool{false, true} {
		p := planned(t, plainFile, 1)
		p.secrets.value = secret
		of := p.of(0)
		p.look = func(_ context.Context, state deployment.State) deployment.Watch {
			side := state.Sides[hosting.Blue]
			seen := hosting.Seen{ID: deployment.SlotID(of.Environment, hosting.Blue), Deployment: side.Deployment, Fence: side.Fence, Phase: hosting.Pull, Error: text, Fatal: fatal,
				Images:     []hosting.SeenImage{{Service: "web"}},
				Containers: []hosting.SeenContainer{{Service: "web", ExitCode: 1, Log: "TOKEN=" + base64.StdEncoding.EncodeToString([]byte(secret)), HealthLog: secret}}}
			return deployment.Watch{Hosts: map[string]hosting.Observation{planHost: {Slots: []hosting.Seen{seen, {ID: "another's"}}}}, Elapsed: func(uint64) time.Duration { return time.Hour }}
		}
		d, err := p.deployment(t.Context(), of.Deployment)
		if want := "the images on web1: web1: " + strings.Repeat("x", 495) + "***"; err != nil || d.Waits != want || d.Hosts[0].Sides[0].Error != text[:495]+"***" {
			t.Errorf("%+v, %v", d, err)
		}
		if err := p.drive(t.Context(), process.Task{Key: of.Environment}); err != nil {
			t.Fatal(err)
		}
		state, err := p.state(t.Context(), of.Environment)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case !fatal && (state.Overdue == nil || state.Overdue.Why != "web1: "+text[:495]+"***"):
			t.Errorf("%+v", state.Overdue)
		case fatal && (state.Failure == nil || state.Failure.Reason != text[:495]+"***" || state.Failure.HealthLog != "***" || !strings.HasPrefix(state.Failure.Log, "TOKEN=***")):
			t.Errorf("%+v", state.Failure)
		}

		p.secrets.err = errors.New("the disk is away")
		w, err := p.masked(t.Context(), state, p.look(t.Context(), deployment.State{Sides: map[string]deployment.Side{}}))
		if got := w.Hosts[planHost].Slots; fatal {
			continue // its side is gone
		} else if !errors.Is(err, p.secrets.err) || len(got) != 1 || got[0].Error != notShown || got[0].Containers[0].Log != notShown {
			t.Errorf("%+v, %v", got, err)
		}
	}
}
