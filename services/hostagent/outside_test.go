package hostagent_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"hubledger/services/hostagent/enginetest"
	"hubledger/services/internal/hosting"
)

// An image of another registry is pulled, too, and that registry gets no token of the hub.
func TestOutsideImage(t *testing.T) {
	w := newWorld(t)
	h := w.host("web1", enginetest.Start(t))
	image := w.push("admin/shop", "one")
	c := w.hub.Client()
	var mu sync.Mutex
	var asked []string
	given := ""
	outside := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked, given = append(asked, r.URL.Path), given+r.Header.Get("Authorization")
		mu.Unlock()
		if r.URL.Path == "/v2/" {
			return
		}
		a, err := c.Do(r.Method, r.URL.Path, nil, "Accept", strings.Join(r.Header["Accept"], ", "))
		if err != nil {
			http.Error(out, err.Error(), http.StatusBadGateway)
			return
		}
		for _, name := range []string{"Content-Type", "Content-Length", "Docker-Content-Digest"} {
			out.Header().Set(name, a.Header.Get(name))
		}
		out.WriteHeader(a.Status)
		out.Write(a.Body)
	}))
	defer outside.Close()
	_, digest, _ := strings.Cut(image, "@")
	blue := webSlot(hosting.Blue, strings.TrimPrefix(outside.URL, "http://")+"/admin/shop@"+digest, freePort(t), freePort(t))
	blue.Services[0].Outside = true
	h.run(blue)
	if s := h.healthy(blue.ID); !s.Images[0].Pulled {
		t.Errorf("it is %+v", s)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) == 0 || given != "" {
		t.Errorf("the other registry was asked for %v, and given %q", asked, given)
	}
}
