package auth_test

import (
	"testing"

	"hubledger/services/internal/access"
)

// What every request of a pull pays.
func BenchmarkAuthorize(b *testing.B) {
	h := withAlice(b)
	for name, how := range map[string]call{
		"registry token": h.withScope(basic("alice", alicesPassword), "repository:alice/app:pull"),
		"password":       basic("alice", alicesPassword),
		"nobody":         h.withScope(anonymous, "repository:busybox:pull"),
	} {
		b.Run(name, func(b *testing.B) {
			r := request(b, "GET", "/v2/", "", from("192.0.2.1", how))
			n := need("alice/app", access.Read)
			if name == "nobody" {
				n = need("busybox", access.Read)
			}
			for b.Loop() {
				if _, err := h.Authorize(r, n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
