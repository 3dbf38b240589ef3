package builder

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// keyPath is where everybody finds the public half of the hub's key for provenance.
const keyPath = "/.well-known/hubledger/provenance.pub"

// serveKey publishes it in PEM. The ETag is the key's id.
func (s *Builder) serveKey(w http.ResponseWriter, r *http.Request) {
	key, err := s.keys.Key(r.Context())
	if err != nil {
		if !errors.Is(err, events.ErrReadOnly) && !s.keyFails.Swap(true) { // once, whoever asks how often
			s.Logger.Error("the key for provenance cannot be shown", "error", err)
		}
		w.Header().Set("Retry-After", "5")
		http.Error(w, "the key cannot be read now: try again", http.StatusServiceUnavailable)
		return
	}
	s.keyFails.Store(false)
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("ETag", `"`+key.ID()+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(key.PEM())) // knows If-None-Match
}

type keyIn struct{}

func (s *Builder) showKey(ctx context.Context, _ *endpoint.Call, _ *keyIn) (*openapi.Answer[apitypes.ProvenanceKey], error) {
	key, err := s.keys.Key(ctx)
	if err != nil {
		return nil, err
	}
	return openapi.Show(apitypes.ProvenanceKey{ID: key.ID(), PEM: string(key.PEM())}), nil
}
