package listen

import (
	"bytes"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hubledger/services/internal/quiet"
)

// A panic of a request is an error in the log, which says where it was.
func TestPanicsAreLogged(t *testing.T) {
	var out bytes.Buffer
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken") }))
	web.Config.ErrorLog = log.New(serverLog{slog.New(quiet.New(slog.NewTextHandler(&out, nil)))}, "", 0)
	web.Start()
	if _, err := http.Get(web.URL); err == nil {
		t.Error("a request that panicked was answered")
	}
	web.Close() // the panic is logged before its connection ends
	if got := out.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "panic serving") || !strings.Contains(got, "log_test.go:") {
		t.Errorf("%s", got)
	}
}
