package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"hubledger/services/internal/access"
	"hubledger/services/internal/activity"
	"hubledger/services/internal/apitypes"
)

// MinKey and MaxKey bound an Idempotency-Key, in bytes. The key encrypts the kept
// answer, which may contain a new token, so it must not be easy to guess.
const MinKey, MaxKey = 16, 200

// keptHeaders are the headers that an answer is remembered with.
var keptHeaders = []string{"Content-Type", apitypes.SequenceHeader, "Location"}

// serveOnce serves a request, or repeats the answer that was kept for its key.
func (s *Set) serveOnce(w http.ResponseWriter, r *http.Request, need access.Permission, serve http.HandlerFunc) error {
	key := r.Header.Get("Idempotency-Key")
	// The principal of a change is never anonymous: see mayWrite.
	if key == "" || need == access.Open || ReadOnly(r.Method) {
		serve(w, r)
		return nil
	}
	if len(key) < MinKey || len(key) > MaxKey {
		return Fail(http.StatusBadRequest, fmt.Sprintf("an Idempotency-Key has %d to %d characters: a random UUID is a good one", MinKey, MaxKey))
	}
	request, err := requestText(r)
	if err != nil {
		return err
	}
	prior, claim, err := s.KeptAnswers.Begin(r.Context(), CallOf(r.Context()).account(), key, request, time.Now())
	switch {
	case errors.Is(err, activity.ErrInFlight):
		return Fail(http.StatusConflict, "the first request with this Idempotency-Key is not answered yet: try again").With("Retry-After", "1").Because(err)
	case errors.Is(err, activity.ErrDifferentRequest):
		return Fail(http.StatusUnprocessableEntity, "this Idempotency-Key was used for another request").Because(err)
	case err != nil:
		return err
	case prior != nil:
		replay(w, prior)
		return nil
	}
	s.keepAnswer(w, r, claim, serve)
	return nil
}

// requestText is the request as text; the store keeps its hash.
func requestText(r *http.Request) ([]byte, error) {
	body, err := Body(r)
	return append(fmt.Appendf(nil, "%s %q %q\n", r.Method, r.URL.EscapedPath(), r.URL.RawQuery), body...), err
}

// keepAnswer serves a request and keeps its answer before it is sent. An answer
// that tells of no change is not kept: the same request is then served again.
func (s *Set) keepAnswer(w http.ResponseWriter, r *http.Request, claim *activity.Claim, serve http.HandlerFunc) {
	// The work goes on when the client has gone.
	lasting := context.WithoutCancel(r.Context())
	ctx, cancel := context.WithTimeout(lasting, AnswerTime)
	defer cancel()
	held, served := NewHeldAnswer(), false
	defer func() {
		ctx, cancel := context.WithTimeout(lasting, s.Wait)
		defer cancel()
		if served && held.changed() {
			s.warnClaim(claim.Finish(ctx, held.answer(), time.Now()))
		} else { // also when serve panics
			s.warnClaim(claim.Abandon(ctx))
		}
		if served {
			held.send(w)
		}
	}()
	serve(held, r.WithContext(ctx))
	served = true
}

// AnswerTime bounds the work on a request with a key. It is shorter than the time
// after which the store lets another request claim the key.
const AnswerTime = 90 * time.Second

func (s *Set) warnClaim(err error) {
	if err != nil {
		s.Logger.Warn("an answer could not be kept for its Idempotency-Key", "error", err)
	}
}

// answer is what is kept of a held answer.
func (a *HeldAnswer) answer() activity.Answer {
	kept := activity.Answer{Status: a.Status(), Header: http.Header{}, Body: a.body.Bytes()}
	for _, name := range keptHeaders {
		if values := a.header.Values(name); values != nil {
			kept.Header[name] = values
		}
	}
	return kept
}

func replay(w http.ResponseWriter, a *activity.Answer) {
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Idempotency-Replayed", "true")
	w.WriteHeader(a.Status)
	w.Write(a.Body) // fails only when the client went away
}
