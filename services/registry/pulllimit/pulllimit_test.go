package pulllimit

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/services/internal/access"
)

// pull asks a limiter as a manifest is fetched; remaining is what its header
// says, and wait what Retry-After will, 0 when it was allowed.
func pull(t *testing.T, l *Limiter, method, addr string, who access.Principal) (h http.Header, wait time.Duration) {
	t.Helper()
	r := httptest.NewRequest(method, "/v2/alice/app/manifests/1.0", nil)
	r.RemoteAddr = addr
	h = http.Header{}
	err := l.Pull(h, r, who)
	var e *ExceededError
	if errors.As(err, &e) {
		return h, e.RetryAfter
	}
	if err != nil {
		t.Fatal(err)
	}
	return h, 0
}

func TestPullLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Anonymous: 2, User: 3})
		alice := access.Principal{Kind: access.User, ID: "id of alice", Name: "alice"}
		step := func(method, addr string, who access.Principal, remaining, source string, wait time.Duration) {
			t.Helper()
			h, w := pull(t, l, method, addr, who)
			if h.Get("ratelimit-remaining") != remaining || h.Get("docker-ratelimit-source") != source || w != wait {
				t.Fatalf("%v, to wait for %s", h, w)
			}
		}
		step("HEAD", "192.0.2.1:1", access.Nobody, "2;w=21600", "192.0.2.1", 0)
		step("GET", "192.0.2.1:1", access.Nobody, "1;w=21600", "192.0.2.1", 0)
		time.Sleep(time.Hour)
		step("GET", "192.0.2.1:2", access.Nobody, "0;w=21600", "192.0.2.1", 0)
		step("HEAD", "192.0.2.1:2", access.Nobody, "0;w=21600", "192.0.2.1", 0)
		step("GET", "192.0.2.1:3", access.Nobody, "0;w=21600", "192.0.2.1", 5*time.Hour)
		step("GET", "192.0.2.2:1", access.Nobody, "1;w=21600", "192.0.2.2", 0)
		// One IPv6 network is one client; accounts count wherever they are.
		step("GET", "[2001:db8::1]:1", access.Nobody, "1;w=21600", "2001:db8::1", 0)
		step("GET", "[2001:db8::ffff:2]:1", access.Nobody, "0;w=21600", "2001:db8::ffff:2", 0)
		step("GET", "[2001:db8:0:1::1]:1", access.Nobody, "1;w=21600", "2001:db8:0:1::1", 0)
		step("GET", "192.0.2.1:1", alice, "2;w=21600", "id of alice", 0)
		step("GET", "[2001:db8::1]:1", alice, "1;w=21600", "id of alice", 0)
		time.Sleep(5 * time.Hour) // the first window has ended
		step("GET", "192.0.2.1:1", access.Nobody, "1;w=21600", "192.0.2.1", 0)
		if h, _ := pull(t, l, "GET", "192.0.2.9:1", access.Operates); len(h) != 0 {
			t.Errorf("the operator is told %v", h)
		}
	})
}

// Whatever comes, a limiter counts for so many at most.
func TestPullLimitsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{User: 1, Window: time.Minute})
		for k := range maxPullers + 1000 {
			l.count(puller{id: string(rune(k)) + "x"}, 1, true)
		}
		if n := len(l.windows); n > maxPullers {
			t.Errorf("%d are counted", n)
		}
		time.Sleep(time.Minute)
		l.count(puller{id: "one more"}, 1, true)
		if n := len(l.windows); n > maxPullers {
			t.Errorf("%d are counted", n)
		}
	})
	if New(Config{}) != nil {
		t.Error("there are limits by default")
	}
}
