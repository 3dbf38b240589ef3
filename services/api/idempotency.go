package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"hubledger/services/internal/activity"
)

// Whoever reads the store of answers must not be able to guess a key: it seals
// the answer, which may hold a new token.
const minKey, maxKey = 16, 200

const idempotencyAbout = "Makes it safe to send the request again: within 24 hours the same key with the same request gets the first " +
	"answer and changes nothing; what was refused is judged anew. A random UUID is a good key; take another one for every change."

// kept are the headers that an answer is remembered with.
var kept = []string{"Content-Type", sequenceHeader, "Location"}

// once serves a request, or gives the answer that was given to it before.
func (s *API) once(w http.ResponseWriter, r *http.Request, need Permission, serve http.HandlerFunc) error {
	key := r.Header.Get("Idempotency-Key")
	// Who gets here with a change is somebody: see writes.
	if key == "" || need == Open || reads(r.Method) {
		serve(w, r)
		return nil
	}
	if len(key) < minKey || len(key) > maxKey {
		return fail(http.StatusBadRequest, fmt.Sprintf("an Idempotency-Key has %d to %d characters: a random UUID is a good one", minKey, maxKey))
	}
	request, err := requestText(r)
	if err != nil {
		return err
	}
	prior, claim, err := s.Answers.Begin(r.Context(), callOf(r.Context()).account(), key, request, time.Now())
	switch {
	case errors.Is(err, activity.ErrInFlight):
		return fail(http.StatusConflict, "the first request with this Idempotency-Key is not answered yet: try again").with("Retry-After", "1").because(err)
	case errors.Is(err, activity.ErrDifferentRequest):
		return fail(http.StatusUnprocessableEntity, "this Idempotency-Key was used for another request").because(err)
	case err != nil:
		return err
	case prior != nil:
		replay(w, prior)
		return nil
	}
	s.answerOnce(w, r, claim, serve)
	return nil
}

// account names the principal among all that there are.
func (c *call) account() string { return string(c.p.Kind) + " " + c.p.ID }

// requestText is what is asked for, of which the store keeps a hash.
func requestText(r *http.Request) ([]byte, error) {
	body, err := bodyOf(r)
	return append(fmt.Appendf(nil, "%s %q %q\n", r.Method, r.URL.EscapedPath(), r.URL.RawQuery), body...), err
}

// answerOnce keeps the answer to a change before it is given. One that says
// that nothing was changed is not kept: the same request is judged anew.
func (s *API) answerOnce(w http.ResponseWriter, r *http.Request, claim *activity.Claim, serve http.HandlerFunc) {
	// What was begun is ended, even when the client has gone.
	lasting := context.WithoutCancel(r.Context())
	ctx, cancel := context.WithTimeout(lasting, answerTime)
	defer cancel()
	rec, served := newRecorder(), false
	defer func() {
		ctx, cancel := context.WithTimeout(lasting, s.Wait)
		defer cancel()
		if served && rec.written() {
			s.warnClaim(claim.Finish(ctx, rec.answer(), time.Now()))
		} else { // also when serve panics
			s.warnClaim(claim.Abandon(ctx))
		}
		if served {
			rec.send(w)
		}
	}()
	serve(rec, r.WithContext(ctx))
	served = true
}

// answerTime bounds the work on a request with a key. It ends before the store
// takes the one who claimed the key for dead.
const answerTime = 90 * time.Second

func (s *API) warnClaim(err error) {
	if err != nil {
		s.Logger.Warn("an answer could not be kept for its Idempotency-Key", "error", err)
	}
}

// answer is what is kept of a recorded answer.
func (c *recorder) answer() activity.Answer {
	a := activity.Answer{Status: max(c.status, http.StatusOK), Header: http.Header{}, Body: c.body.Bytes()}
	for _, name := range kept {
		if values := c.header.Values(name); values != nil {
			a.Header[name] = values
		}
	}
	return a
}

func replay(w http.ResponseWriter, a *activity.Answer) {
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Idempotency-Replayed", "true")
	w.WriteHeader(a.Status)
	w.Write(a.Body) // fails only when the client went away
}
