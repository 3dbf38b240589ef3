package auth_test

import (
	"errors"
	"net/http"
	"testing"

	"hubledger/services/internal/access"
)

// A client that came to push, and may not, is not stopped at its HEAD, whose
// refusal it could show to nobody. What is private looks missing to it, too.
func TestPushIsRefusedWhereItCanBeSaid(t *testing.T) {
	h := withAlice(t)
	alice := basic("alice", alicesPassword)
	asked := func(method string, how call, n access.Need) int {
		t.Helper()
		_, err := h.Authorize(request(t, method, "/v2/", "", how), n)
		var d *access.Denied
		if err != nil && !errors.As(err, &d) {
			t.Fatal(err)
		}
		if d == nil {
			return http.StatusOK
		}
		return d.Status
	}
	for _, repo := range []string{"bob/app", "bob/none", "carol/none", "app"} {
		for by, who := range map[string]call{"alice": alice, "nobody": anonymous} {
			pushes, pulls := h.withScope(who, "repository:"+repo+":pull,push"), h.withScope(who, "repository:"+repo+":pull")
			for _, c := range []struct {
				method string
				how    call
				level  access.Level
				want   int
			}{{"HEAD", pushes, access.Read, 404}, {"GET", pushes, access.Read, 401}, {"POST", pushes, access.Write, 401}, {"HEAD", pulls, access.Read, 401}} {
				if got := asked(c.method, c.how, need(repo, c.level)); got != c.want {
					t.Errorf("%s of %s by %s, level %d: %d, want %d", c.method, repo, by, c.level, got, c.want)
				}
			}
		}
	}
	if got := asked("HEAD", h.withScope(alice, "repository:busybox:pull,push"), need("busybox", access.Read)); got != http.StatusOK {
		t.Errorf("what everybody may see: %d", got)
	}
}
