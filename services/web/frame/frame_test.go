package frame

import (
	"testing"
	"time"
)

func TestPath(t *testing.T) {
	for _, c := range []struct {
		components []string
		want       string
	}{
		{[]string{"repositories", "acme/app", "tags", "1.0"}, "/repositories/acme/app/tags/1.0"},
		{[]string{"repositories", "acme/group/tags/app"}, "/repositories/acme/group%2Ftags%2Fapp"},
		{[]string{"sources", "acme/group/app", "refs"}, "/sources/acme/group%2Fapp/refs"},
		{[]string{"orgs", "acme", "members", "bob/../../users?x#y"}, "/orgs/acme/members/bob%2F..%2F..%2Fusers%3Fx%23y"},
	} {
		if got := Path(c.components...); got != c.want {
			t.Errorf("%q: %s, wanted %s", c.components, got, c.want)
		}
	}
}

func TestLocal(t *testing.T) {
	for address, want := range map[string]string{
		"/keys": "/keys", "/events?q=a:b": "/events?q=a:b", "": "/", "//elsewhere.example": "/", "https://elsewhere.example/": "/",
		`/\elsewhere.example`: "/", "javascript:alert(1)": "/", "keys": "/", "/a\r\nSet-Cookie: x=y": "/", "/%0d%0aX: y": "/%0D%0AX:%20y",
	} {
		if got := Local(address, "/"); got != want {
			t.Errorf("%q leads to %q, wanted %q", address, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		-2 * time.Second: "just now", -59 * time.Second: "59 s ago", -3 * time.Minute: "3 min ago", -5 * time.Hour: "5 h ago",
		-25 * time.Hour: "1 day ago", -100 * 24 * time.Hour: "21 Aug 2026", 10 * time.Minute: "in 10 min",
	} {
		if got := Ago(now.Add(d), now); got != want {
			t.Errorf("%v: %s, wanted %s", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 99_949: "99.9 kB", 99_950: "100 kB", 999_500: "1.0 MB", 48_200_000: "48.2 MB"} {
		if got := Size(n); got != want {
			t.Errorf("%d: %s, wanted %s", n, got, want)
		}
	}
	for n, want := range map[any]string{0: "0", 999: "999", 1000: "1,000", uint64(1234567): "1,234,567", -4200: "-4,200"} {
		if got := Number(n); got != want {
			t.Errorf("%v: %s, wanted %s", n, got, want)
		}
	}
}
