package agent

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"hubledger/services/internal/hosting"
)

// How a container is that is being stopped the engine says only when it has ended. The others of its
// slot are looked at meanwhile.
func TestLooksPastWhatIsBeingStopped(t *testing.T) {
	const slotID, stopped, other = "env-green", "1111111111111111", "2222222222222222"
	asked := map[string]int{}
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			one := func(id, service string) string {
				return fmt.Sprintf(`{"Id":%q,"State":"running","Labels":{%q:%q,%q:%q,%q:"0"}}`, id, labelSlot, slotID, labelService, service, labelIndex)
			}
			fmt.Fprintf(w, "[%s,%s]", one(stopped, "worker"), one(other, "web"))
		default:
			id := strings.Split(r.URL.Path[strings.Index(r.URL.Path, "/containers/"):], "/")[2]
			asked[id]++
			fmt.Fprintf(w, `{"Id":%q,"State":{"Status":"running","StartedAt":"2026-11-30T12:00:00Z"}}`, id)
		}
	}))
	defer engine.Close()
	docker, err := client.New(client.WithHost("tcp://"+strings.TrimPrefix(engine.URL, "http://")), client.WithAPIVersion("1.44"))
	if err != nil {
		t.Fatal(err)
	}
	defer docker.Close()
	s := &step{slot: &slot{Agent: &Agent{Config: Config{Engine: docker, Logger: slog.New(slog.DiscardHandler)}}, id: slotID, stops: map[string]bool{stopped: true}},
		ctx: t.Context(), t: &hosting.Slot{ID: slotID, Phase: hosting.Drain}, seen: &hosting.Seen{}}
	before := hosting.Seen{Containers: []hosting.SeenContainer{{ID: short(stopped), Service: "worker", State: "running", Restarts: 1}}}
	if err := s.observe(before); err != nil {
		t.Fatal(err)
	}
	if asked[stopped] != 0 || asked[other] != 1 {
		t.Errorf("the engine was asked for %v", asked)
	}
	if got := s.seen.Containers; len(got) != 2 || got[0].Service != "web" || got[1] != before.Containers[0] {
		t.Errorf("%+v", got)
	}
	s.stops = nil // it has ended
	if err := s.observe(before); err != nil || asked[stopped] != 1 {
		t.Errorf("the engine was asked for %v: %v", asked, err)
	}
}
