package auth

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Whatever tokens come, what is kept of them takes no more memory than allowed.
func TestCachedTokensAreBounded(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for name, scopes := range map[string]int{"small": 1, "as large as any that is kept": 28} {
		t.Run(name, func(t *testing.T) {
			before, c := heap(), newJWTCache()
			longest := 0
			for k := range 10_000 {
				var v verifiedJWT
				v.actions = map[string][]string{}
				for n := range scopes {
					v.Access = append(v.Access, resource{Type: typeRepository, Name: fmt.Sprintf("a/%d-%d", k, n), Actions: []string{"pull", "push"}})
				}
				raw, err := json.Marshal(v.claims)
				if err != nil {
					t.Fatal(err)
				}
				v = verifiedJWT{actions: map[string][]string{}}
				if err := json.Unmarshal(raw, &v.claims); err != nil {
					t.Fatal(err)
				}
				for _, r := range v.Access {
					v.actions[strings.Clone(r.Name)] = append([]string(nil), r.Actions...)
				}
				text := base64url.EncodeToString(raw)
				longest = max(longest, len(text))
				c.put(sha256.Sum256([]byte(text)), text, &v)
			}
			grown := heap() - before
			if c.size > maxCachedBytes || grown > maxCachedBytes || len(c.entries) < 500 || longest > maxCachedJWT {
				t.Errorf("%d tokens of up to %d bytes take %d bytes, %d as counted", len(c.entries), longest, grown, c.size)
			}
			runtime.KeepAlive(c)
		})
	}
}

func TestWhatIsNotCached(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	c := newJWTCache()
	put := func(text string, expires time.Time) [sha256.Size]byte {
		sum := sha256.Sum256([]byte(text))
		c.put(sum, text, &verifiedJWT{expires: expires})
		return sum
	}
	long := put(strings.Repeat("x", maxCachedJWT+1), now.Add(time.Hour))
	if _, ok := c.get(long); ok || c.size != 0 {
		t.Error("a long token is kept")
	}
	over, good := put("over", now), put("good", now.Add(time.Second))
	put("good", now.Add(time.Second))
	c.dropExpired(now)
	if _, ok := c.get(over); ok {
		t.Error("an expired token is kept")
	}
	if _, ok := c.get(good); !ok || c.size != sizeOf("good") {
		t.Errorf("a good one is not, or counted as %d bytes", c.size)
	}
	c.drop(good)
	if len(c.entries) != 0 || c.size != 0 {
		t.Errorf("%d are left with %d bytes", len(c.entries), c.size)
	}
}
