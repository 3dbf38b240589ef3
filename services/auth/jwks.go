package auth

import (
	"encoding/json"
	"net/http"

	"github.com/go-jose/go-jose/v4"
)

// serveKeys publishes the public keys that verify our tokens (RFC 7517), for other
// programs: the hub itself reads them from the secrets.
func (s *Auth) serveKeys(w http.ResponseWriter, r *http.Request) {
	keys, err := s.keys.published(r.Context())
	if err != nil {
		s.fail(w, r, s.refusal(r, err, ""), "")
		return
	}
	var set jose.JSONWebKeySet
	for _, k := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.public(), KeyID: k.id(), Algorithm: string(jose.EdDSA), Use: "sig"})
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	if err := json.NewEncoder(w).Encode(set); err != nil {
		s.Logger.Debug("the client went away", "error", err)
	}
}
