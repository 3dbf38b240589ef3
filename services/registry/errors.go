package registry

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/asof"
	"hubledger/services/internal/failure"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/bodies"
	"hubledger/services/registry/leases"
	"hubledger/services/registry/manifest"
	"hubledger/services/registry/pulllimit"
	"hubledger/services/registry/uploadlimit"
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

// maxProblems bounds the problems in one error body: an index can lack thousands
// of manifests.
const maxProblems = 20

// bounded is ps, or the first maxProblems of it and how many more there are.
func (ps problems) bounded() problems {
	more := len(ps) - maxProblems
	if more <= 0 {
		return ps
	}
	return append(ps[:maxProblems:maxProblems], fail(ps[0].Status, ps[0].Code, fmt.Sprintf("and %d more", more)))
}

func blobUnknown(d string) *problem {
	return fail(http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to this repository").with(map[string]string{"digest": d})
}

func manifestUnknown(ref string) *problem {
	return fail(http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown").with(map[string]string{"reference": ref})
}

func nameUnknown(name string) *problem {
	p := fail(http.StatusNotFound, "NAME_UNKNOWN", nameIsUnknown).with(map[string]string{"name": name})
	p.cause = repository.ErrUnknown
	return p
}

func digestInvalid(d string) *problem {
	return fail(http.StatusBadRequest, "DIGEST_INVALID", "a digest is sha256:<64 hex digits> or sha512:<128 hex digits>").with(map[string]string{"digest": d})
}

func manifestInvalid(message string) *problem {
	return fail(http.StatusBadRequest, "MANIFEST_INVALID", message)
}

func tooMany(limit error, after time.Duration) *problem {
	p := fail(http.StatusTooManyRequests, "TOOMANYREQUESTS", limit.Error())
	p.retryAfter = after
	return p
}

func unsupported(status int, message string) *problem { return fail(status, "UNSUPPORTED", message) }

// An answerTo is an answer that the registry gives otherwise than the hub's API
// does, or to an error that only the registry has.
type answerTo struct {
	failure.Entry
	code string
}

var entries = []answerTo{
	{failure.Entry{Err: blobs.ErrUploadUnknown, Status: http.StatusNotFound, Message: "no such upload: begin a new one"}, "BLOB_UPLOAD_UNKNOWN"},
	{failure.Entry{Err: blobs.ErrDigestMismatch, Status: http.StatusBadRequest, Message: "the content does not have the digest that was given"}, "DIGEST_INVALID"},
	{failure.Entry{Err: blobs.ErrTooLarge, Status: http.StatusRequestEntityTooLarge, Message: "the blob is larger than this registry accepts"}, "SIZE_INVALID"},
	{failure.Entry{Err: leases.ErrLeaving, Status: http.StatusServiceUnavailable, Message: "a blob of this image is being collected: try again"}, "UNAVAILABLE"},
	{failure.Entry{Err: blobs.ErrNoSpace, Status: http.StatusInsufficientStorage, Message: noSpace}, "DENIED"},
	// What failed is a push, which the docker client does not try again by itself.
	{failure.Entry{Err: events.ErrNoSpace, Status: http.StatusInsufficientStorage, Message: noSpace}, "DENIED"},
	// Not 503: docker would try for minutes and then not show the text.
	{failure.Entry{Err: events.ErrReadOnly, Status: http.StatusMethodNotAllowed,
		Message: "the registry is read-only: pulls work, pushes and deletions do not until its operator has repaired the log"}, "UNSUPPORTED"},
	// The distribution-spec knows no 422.
	{failure.Entry{Err: repository.ErrSettings, Status: http.StatusBadRequest}, "UNSUPPORTED"},
	// As for a repository that is not there: docker tries other codes again for a minute.
	{failure.Entry{Err: repository.ErrUnusable, Status: http.StatusNotFound}, "NAME_UNKNOWN"},
	{failure.Entry{Err: repository.ErrName, Status: http.StatusBadRequest}, "NAME_INVALID"},
	{failure.Entry{Err: repository.ErrTag, Status: http.StatusBadRequest}, "TAG_INVALID"},
	{failure.Entry{Err: asof.ErrPoint, Status: http.StatusBadRequest}, "TAG_INVALID"},
	// The distribution-spec's own words.
	{failure.Entry{Err: repository.ErrUnknown, Status: http.StatusNotFound, Message: nameIsUnknown}, "NAME_UNKNOWN"},
	{failure.Entry{Err: images.ErrNotFound, Status: http.StatusNotFound, Message: nameIsUnknown}, "NAME_UNKNOWN"},
}

const (
	noSpace       = "the registry's disk is full up to its reserve: delete images or add space, then push again"
	nameIsUnknown = "repository name not known to this registry"
)

// codes are those of the distribution-spec for the errors that all protocols
// answer alike, by status.
var codes = map[int]string{
	http.StatusUnauthorized: "UNAUTHORIZED", http.StatusForbidden: "DENIED", http.StatusNotFound: "NAME_UNKNOWN", http.StatusConflict: "DENIED",
	http.StatusTooManyRequests: "TOOMANYREQUESTS", http.StatusServiceUnavailable: "UNAVAILABLE", http.StatusInsufficientStorage: "DENIED",
}

// asProblems turns any error into what clients get. An error that neither this
// table nor that of package failure has is a fault of the server: 500.
func asProblems(err error) problems {
	var many problems
	var p *problem
	var invalid *manifest.InvalidError
	var none *manifest.DigestError
	var pulls *pulllimit.ExceededError
	var uploads *uploadlimit.ExceededError
	switch {
	case errors.As(err, &many):
		return many
	case errors.As(err, &p):
		return problems{p}
	case errors.As(err, &invalid):
		return problems{manifestInvalid(invalid.Reason)}
	case errors.As(err, &none):
		return problems{digestInvalid(none.Digest.String())}
	case errors.As(err, &pulls):
		return problems{tooMany(pulls, pulls.RetryAfter)}
	case errors.As(err, &uploads):
		return problems{tooMany(uploads, uploads.RetryAfter)}
	}
	own := make([]failure.Entry, len(entries))
	for k, e := range entries {
		own[k] = e.Entry
	}
	f := failure.Of(err, own...)
	p = fail(f.Status, codeOf(err, f.Status), f.Message)
	p.challenge, p.retryAfter, p.cause = f.Header.Get("WWW-Authenticate"), f.RetryAfter, err
	return problems{p}
}

func codeOf(err error, status int) string {
	var denied *access.Denied
	if errors.As(err, &denied) {
		return denied.Code
	}
	for _, e := range entries {
		if errors.Is(err, e.Err) {
			return e.code
		}
	}
	return cmp.Or(codes[status], "UNKNOWN")
}

// answer writes an error body (distribution-spec, "Error Codes").
func (s *Registry) answer(w http.ResponseWriter, r *http.Request, err error) {
	ps := asProblems(err).bounded()
	status := ps[0].Status
	if r.ContentLength != 0 {
		bodies.Drop(w)
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
		h.Set("Retry-After", failure.Seconds(after))
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
