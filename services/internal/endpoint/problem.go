package endpoint

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hubledger/services/internal/command"
	"hubledger/services/internal/failure"
)

// A Problem is an error as clients get it (RFC 9457). The cause stays here.
type Problem struct {
	huma.ErrorModel
	headers http.Header
	cause   error
}

func (p *Problem) Unwrap() error { return p.cause }

// GetHeaders are sent with the problem.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// Fail makes a problem of an HTTP status and a text for people.
func Fail(status int, detail string) *Problem {
	return &Problem{ErrorModel: huma.ErrorModel{Type: "about:blank", Status: status, Title: http.StatusText(status), Detail: detail}, headers: http.Header{}}
}

// At names the field that is at fault, such as "body.name".
func (p *Problem) At(location, message string) *Problem {
	p.Errors = append(p.Errors, &huma.ErrorDetail{Location: location, Message: message})
	return p
}

// With adds a header.
func (p *Problem) With(name, value string) *Problem {
	p.headers.Set(name, value)
	return p
}

// Because keeps the cause, for the server's log.
func (p *Problem) Because(err error) *Problem {
	p.cause = err
	return p
}

// RetryAfter says when another try is worth it.
func (p *Problem) RetryAfter(d time.Duration) *Problem {
	return p.With("Retry-After", failure.Seconds(d))
}

// NotFound is the answer for what does not exist and for what may not be seen.
func NotFound() *Problem { return Fail(http.StatusNotFound, failure.Hidden) }

// Invalid names a field of the request, such as body.name, that is not valid.
func Invalid(location, message string) *Problem {
	return Fail(http.StatusUnprocessableEntity, "validation failed").At(location, message)
}

// SeenField is where a request says what its sender has looked at: the sequence of the latest
// event then. A 409 at this field has that of now as its value.
const SeenField = "body.seq"

// Located is err, if it is none of those errors; else a Problem that says which
// field of the request is at fault.
func Located(err error, location string, those ...error) error {
	for _, e := range those {
		if errors.Is(err, e) {
			return Invalid(location, err.Error()).Because(err)
		}
	}
	return err
}

// Write sends the problem by itself, outside of huma.
func (p *Problem) Write(w http.ResponseWriter, r *http.Request) {
	p.WriteAs(w, r, "application/problem+json", p.ErrorModel)
}

// WriteAs sends the problem with another body.
func (p *Problem) WriteAs(w http.ResponseWriter, r *http.Request, contentType string, body any) {
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	data, err := json.Marshal(body)
	if err != nil {
		data = []byte("{}")
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		w.Write(data)
	}
}

// problemOf is the answer to an error.
func problemOf(err error, own []failure.Entry) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	f := failure.Of(err, own...)
	p = Fail(f.Status, f.Message).Because(err)
	var changed *command.ChangedError
	if errors.As(err, &changed) {
		latest := "there is no event yet"
		if changed.Seq > 0 {
			latest = "the latest event is " + strconv.FormatUint(changed.Seq, 10)
		}
		p.Errors = append(p.Errors, &huma.ErrorDetail{Location: SeenField, Message: latest, Value: changed.Seq})
	}
	p.headers = f.Header
	if f.RetryAfter > 0 {
		p.RetryAfter(f.RetryAfter)
	}
	return p
}

// Problem is the answer to an error. Faults of the server are logged with their
// cause, under the name of the route.
func (s *Set) Problem(ctx context.Context, route string, err error) *Problem {
	p := problemOf(err, s.Failures)
	switch {
	case ctx.Err() != nil:
		s.Logger.Debug("the client went away", "route", route, "error", err)
	case p.Status >= 500 && p.Status != http.StatusInsufficientStorage:
		s.Logger.Error("request failed", "route", route, "status", p.Status, "error", cmp.Or(p.cause, err))
	}
	return p
}

// Accept answers a request of another program to a URL that has a secret in it: 202 with what
// was made of it, or why nothing was. Nobody keeps the answer.
func (s *Set) Accept(w http.ResponseWriter, r *http.Request, answer any, err error) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if err != nil {
		s.Problem(r.Context(), r.Pattern, err).Write(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	json.NewEncoder(w).Encode(answer)
}
