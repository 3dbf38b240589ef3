package embedded

import (
	"net/http"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

func TestVerdict(t *testing.T) {
	well := &server.HealthStatus{StatusCode: http.StatusOK, Status: "ok"}
	failing := func(kind server.HealthZErrorType, text string) *server.HealthStatus {
		return &server.HealthStatus{StatusCode: http.StatusServiceUnavailable, Status: "error",
			Errors: []server.HealthzError{{Type: kind, Error: text}}}
	}
	late := failing(server.HealthzErrorConn, "startup did not complete")
	broken := failing(server.HealthzErrorStream, "stream: no space left on device")
	for what, c := range map[string]struct {
		answers []*server.HealthStatus
		want    string
	}{
		"well":                {[]*server.HealthStatus{well}, ""},
		"broken":              {[]*server.HealthStatus{broken, well}, "stream: no space left on device"},
		"too late, then well": {[]*server.HealthStatus{late, late, well}, ""},
		"too late, broken":    {[]*server.HealthStatus{late, broken}, "stream: no space left on device"},
		"too late for ever":   {[]*server.HealthStatus{late}, "startup did not complete"},
		"without a reason":    {[]*server.HealthStatus{{StatusCode: http.StatusBadRequest, Status: "bad"}}, "bad"},
	} {
		asked := 0
		err := verdict(func() *server.HealthStatus {
			asked++
			return c.answers[min(asked, len(c.answers))-1]
		})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}
