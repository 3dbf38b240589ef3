package server_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// lockedBuffer is a buffer that a logger may write to while a test reads it.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// The operator is told once, not for every request, that the disk's reserve is reached.
func TestTheReserveIsLogged(t *testing.T) {
	c := server.Config{Data: t.TempDir(), SecretsKeyFile: t.TempDir() + "/key"}
	t.Run("first start", func(t *testing.T) { servertest.Start(t, c) })
	var log lockedBuffer
	c.Reserve, c.Logger = 1<<62, slog.New(slog.NewTextHandler(&log, nil))
	s := servertest.Start(t, c)
	for range 3 {
		r := ask(t, "POST", s.URL+"/v2/admin/app/blobs/uploads/?digest=sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", strings.NewReader("hello"), nil)
		if r.status != http.StatusInsufficientStorage {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	if text := log.String(); strings.Count(text, "less free space than its reserve") != 1 || !strings.Contains(text, "reserve=4611686018427387904") {
		t.Errorf("the log says\n%s", text)
	}
}
