package images_test

import (
	"fmt"
	"testing"

	"hubledger/events"
	"hubledger/projections/images"
)

// What releases pin is known while one of the latest so many has it, its application lives
// and it is live itself.
func TestPinned(t *testing.T) {
	const shop = "0191d1a0-0000-7000-8000-0000000000f1"
	a, b := image(repoA, "1", "a"), image(repoA, "2", "b")
	settings := func(keep int) events.ApplicationSettings {
		return events.ApplicationSettings{Digest: "sha256:x", Compose: "x", Keep: keep}
	}
	release := func(number int, i events.ImagePushed, held bool) events.Payload {
		return events.ReleaseMade{Namespace: nsID, Application: shop, Name: "x/shop", Number: number,
			Images: []events.ReleaseImage{{Service: "web", Repository: repoA, Digest: i.Digest.String(), Held: held}}}
	}
	begin := []events.Payload{created(repoA, "x/a"), a, b, events.ApplicationCreated{Namespace: nsID, Application: shop, Name: "x/shop", Settings: settings(2)}}
	const live, other = "0191d1a0-0000-7000-8000-0000000000e1", "0191d1a0-0000-7000-8000-0000000000e2"
	there := func(environment string) events.Payload {
		return events.EnvironmentCreated{Namespace: nsID, Application: shop, Name: "x/shop", Environment: environment, Called: "production"}
	}
	of := func(k int, environment string) events.DeploymentOf {
		return events.DeploymentOf{Namespace: nsID, Application: shop, Name: "x/shop", Environment: environment, Called: "production", Deployment: fmt.Sprintf("0191d1a0-0000-7000-8000-000000000d%02d", k)}
	}
	request := func(k int, environment string, number int, colour string, before ...events.DeploymentSide) events.DeploymentRequested {
		return events.DeploymentRequested{DeploymentOf: of(k, environment), Release: number, Colour: colour, Before: before}
	}
	withStateful := func(k int, environment string, number int, colour string) events.Payload {
		r := request(k, environment, number, colour)
		r.Placement.Stateful = []events.PlacedHost{{Machine: of(9, environment).Deployment, Name: "web1"}}
		return r
	}
	side := func(colour, phase string, number int) events.DeploymentSide {
		return events.DeploymentSide{Colour: colour, Phase: phase, Release: number}
	}
	// a is that of release 1, and b of releases 2 to 4; the two latest ones are kept.
	old := []events.Payload{there(live), release(1, a, true), release(2, b, true), release(3, b, true), release(4, b, true)}
	after := func(more ...events.Payload) []events.Payload { return append(old[:len(old):len(old)], more...) }
	for k, row := range []struct {
		then []events.Payload
		a, b string
	}{
		{nil, "", ""},
		{[]events.Payload{release(1, a, true)}, "release 1 of x/shop", ""},
		{[]events.Payload{release(1, a, false)}, "", ""},
		{[]events.Payload{release(1, a, true), release(2, a, true), release(3, b, true)}, "release 2 of x/shop", "release 3 of x/shop"},
		{[]events.Payload{release(1, a, true), release(2, b, true), release(3, b, true)}, "", "release 3 of x/shop"},
		{[]events.Payload{release(1, a, true), release(2, b, true), events.ApplicationChanged{Namespace: nsID, Application: shop, Name: "x/shop", Settings: settings(1)}}, "", "release 2 of x/shop"},
		{[]events.Payload{release(1, a, true), events.ApplicationDeleted{Namespace: nsID, Application: shop, Name: "x/shop"}}, "", ""},
		{[]events.Payload{release(1, a, true), deleted(a)}, "", ""},
		{old, "", "release 4 of x/shop"},
		// It comes up, and is there until another one does, or it is torn down.
		{after(request(1, live, 1, "blue")), "release 1 of x/shop", "release 4 of x/shop"},
		{after(request(1, live, 1, "blue"), events.EnvironmentDeleted{Namespace: nsID, Application: shop, Name: "x/shop", Environment: live, Called: "production"}), "", "release 4 of x/shop"},
		{after(request(1, live, 1, "blue"), request(2, live, 4, "green", side("blue", "run", 1))), "release 1 of x/shop", "release 4 of x/shop"},
		{after(request(1, live, 1, "blue"), request(2, live, 4, "blue", side("blue", "keep", 1))), "release 1 of x/shop", "release 4 of x/shop"},
		{after(request(1, live, 1, "blue"), request(2, live, 4, "blue", side("blue", "keep", 1)), events.DeploymentAdmitted{DeploymentOf: of(2, live)}), "", "release 4 of x/shop"},
		{after(request(1, live, 1, "blue"), request(2, live, 4, "blue", side("blue", "gone", 1))), "", "release 4 of x/shop"},
		{after(request(1, live, 1, "blue"), events.DeploymentTornDown{DeploymentOf: of(1, live), Colour: "blue", Release: 1}), "", "release 4 of x/shop"},
		{after(request(1, live, 4, "blue", side("", "run", 1)), request(2, live, 4, "green", side("", "run", 4))), "", "release 4 of x/shop"},
		{after(withStateful(1, live, 1, "blue"), events.DeploymentTornDown{DeploymentOf: of(1, live), Colour: "blue", Release: 1}), "release 1 of x/shop", "release 4 of x/shop"},
		{after(request(1, live, 4, "blue", side("", "run", 1))), "release 1 of x/shop", "release 4 of x/shop"},
		// One of the two that were promoted last, in each environment of its own.
		{after(request(1, live, 1, "blue"), events.DeploymentPromoted{DeploymentOf: of(1, live)}, request(2, live, 3, "green"), events.DeploymentPromoted{DeploymentOf: of(2, live)}, request(3, live, 3, "blue")), "release 1 of x/shop", "release 4 of x/shop"},
		{after(request(1, live, 1, "blue"), events.DeploymentPromoted{DeploymentOf: of(1, live)}, request(2, live, 3, "green"), events.DeploymentPromoted{DeploymentOf: of(2, live)},
			request(3, live, 4, "blue"), events.DeploymentPromoted{DeploymentOf: of(3, live)}), "", "release 4 of x/shop"},
		{after(there(other), request(1, other, 1, "blue"), events.DeploymentPromoted{DeploymentOf: of(1, other)}, request(2, live, 3, "green"), events.DeploymentPromoted{DeploymentOf: of(2, live)},
			request(3, live, 4, "blue"), events.DeploymentPromoted{DeploymentOf: of(3, live)}), "release 1 of x/shop", "release 4 of x/shop"},
	} {
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			onEach(t, append(begin[:len(begin):len(begin)], row.then...), func(t *testing.T, r images.Reader) {
				pinned, err := r.Pinned(t.Context(), repoA)
				check(t, err)
				if pinned[a.Digest] != row.a || pinned[b.Digest] != row.b {
					t.Errorf("pinned are %v, want %q and %q", pinned, row.a, row.b)
				}
			})
		})
	}
}
