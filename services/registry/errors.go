package registry

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/leases"
	"hubledger/services/registry/pulllimit"
)

// A problem is an error as clients get it: a code of the distribution-spec
// ("Error Codes"), its HTTP status and a text for people. The cause is for the
// server's log only.
type problem struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Detail  any    `json:"detail,omitempty"`
	cause   error

	challenge  string        // WWW-Authenticate
	retryAfter time.Duration // Retry-After
}

func (p *problem) Error() string {
	if p.cause != nil {
		return p.Code + ": " + p.Message + ": " + p.cause.Error()
	}
	return p.Code + ": " + p.Message
}
func (p *problem) Unwrap() error { return p.cause }

func fail(status int, code, message string) *problem {
	return &problem{Status: status, Code: code, Message: message}
}

func (p *problem) with(detail any) *problem { p.Detail = detail; return p }

// problems is several problems in one error body.
type problems []*problem

func (ps problems) Error() string { return ps[0].Error() }

func blobUnknown(d string) *problem {
	return fail(http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to this repository").with(map[string]string{"digest": d})
}

func manifestUnknown(ref string) *problem {
	return fail(http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown").with(map[string]string{"reference": ref})
}

func nameUnknown(name string) *problem {
	p := fail(http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to this registry").with(map[string]string{"name": name})
	p.cause = repository.ErrUnknown
	return p
}

func digestInvalid(d string) *problem {
	return fail(http.StatusBadRequest, "DIGEST_INVALID", "a digest is sha256:<64 hex digits> or sha512:<128 hex digits>").with(map[string]string{"digest": d})
}

func manifestInvalid(message string) *problem {
	return fail(http.StatusBadRequest, "MANIFEST_INVALID", message)
}

func unsupported(status int, message string) *problem { return fail(status, "UNSUPPORTED", message) }

// asProblems turns any error into what clients get. An error that is not known
// here is a fault of the server: 500.
func asProblems(err error) problems {
	var many problems
	var p *problem
	var denied *access.Denied
	var limit *pulllimit.ExceededError
	switch {
	case errors.As(err, &many):
		return many
	case errors.As(err, &p):
		return problems{p}
	case errors.As(err, &denied):
		p = fail(denied.Status, denied.Code, denied.Message)
		p.challenge, p.retryAfter = denied.Challenge, denied.RetryAfter
	case errors.As(err, &limit):
		p = fail(http.StatusTooManyRequests, "TOOMANYREQUESTS", limit.Error())
		p.retryAfter = limit.RetryAfter
	case errors.Is(err, access.ErrStale), errors.Is(err, access.ErrParked):
		p = fail(http.StatusServiceUnavailable, "UNAVAILABLE", "the registry does not know yet what you may do: try again")
	case errors.Is(err, blobs.ErrUploadUnknown):
		p = fail(http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "no such upload: begin a new one")
	case errors.Is(err, blobs.ErrDigestMismatch):
		p = fail(http.StatusBadRequest, "DIGEST_INVALID", "the content does not have the digest that was given")
	case errors.Is(err, blobs.ErrTooLarge):
		p = fail(http.StatusRequestEntityTooLarge, "SIZE_INVALID", "the blob is larger than this registry accepts")
	case errors.Is(err, blobs.ErrNoSpace), errors.Is(err, events.ErrNoSpace):
		p = fail(http.StatusInsufficientStorage, "DENIED", "the registry's disk is full up to its reserve: delete images or add space, then push again")
	case errors.Is(err, events.ErrReadOnly):
		// Not 503: docker would try for minutes and then not show the text.
		p = unsupported(http.StatusMethodNotAllowed, "the registry is read-only: pulls work, pushes and deletions do not until its operator has repaired the log")
	case errors.Is(err, repository.ErrSettings):
		p = fail(http.StatusBadRequest, "UNSUPPORTED", err.Error())
	case errors.Is(err, repository.ErrName):
		p = fail(http.StatusBadRequest, "NAME_INVALID", err.Error())
	case errors.Is(err, repository.ErrUnknown), errors.Is(err, images.ErrNotFound):
		p = fail(http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to this registry")
	case errors.Is(err, events.ErrConflict):
		p = fail(http.StatusConflict, "DENIED", "somebody else changed the same thing at the same time: try again")
	case errors.Is(err, leases.ErrLeaving):
		p = fail(http.StatusServiceUnavailable, "UNAVAILABLE", "a blob of this image is being collected: try again")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		p = fail(http.StatusServiceUnavailable, "UNAVAILABLE", "the registry did not get to it in time: try again")
	default:
		p = fail(http.StatusInternalServerError, "UNKNOWN", "internal error: the server's log says more")
	}
	p.cause = err
	return problems{p}
}

// answer writes an error body (distribution-spec, "Error Codes").
func (s *Registry) answer(w http.ResponseWriter, r *http.Request, err error) {
	ps := asProblems(err)
	status := ps[0].Status
	if r.ContentLength != 0 {
		// net/http reads the rest of the body before the next request.
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(idleLimit / 10))
	}
	if r.Context().Err() != nil {
		s.Logger.Debug("the client went away", "method", r.Method, "path", r.URL.Path, "error", err)
	} else if status >= 500 && status != http.StatusInsufficientStorage {
		s.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "status", status, "error", err)
	}
	h := w.Header()
	if ps[0].challenge != "" {
		h.Set("WWW-Authenticate", ps[0].challenge)
	}
	if after := ps[0].retryAfter; after > 0 || status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.FormatInt(max(1, int64((after+time.Second-1)/time.Second)), 10))
	}
	body, jerr := json.Marshal(map[string]any{"errors": ps})
	if jerr != nil {
		s.Logger.Error("encode an error", "error", jerr)
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}
