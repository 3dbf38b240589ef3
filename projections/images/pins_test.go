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
