package endpoint

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"

	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
)

// Look begins a look into the read models; see command.Look.
func (s *Set) Look() command.Look {
	if s.ReadModels == nil {
		return command.Look{}
	}
	return s.ReadModels.Look()
}

// isMissing says whether an error is answered with 404.
func isMissing(err error) bool {
	var p *Problem
	return errors.As(err, &p) && p.Status == http.StatusNotFound
}

// lookAgain serves a request a second time when it would be answered 404 while a read model
// was behind the log: what it names may be there. A request that has written to the log is
// not served twice.
func (s *Set) lookAgain(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := Body(r) // that readBody has kept
		if err != nil {
			s.Problem(r.Context(), r.Pattern, err).Write(w, r)
			return
		}
		look := s.Look()
		first := &unlessMissing{ResponseWriter: w, header: w.Header().Clone()}
		serve(first, r)
		if first.missing == nil {
			first.begin(http.StatusOK) // of an answer without a body
			return
		}
		if (ReadOnly(r.Method) || !budget.Of(r.Context()).Wrote()) && look.Missed(r.Context()) {
			again := r.WithContext(r.Context())
			if r.Body != nil {
				again.Body = io.NopCloser(bytes.NewReader(body))
			}
			serve(w, again)
			return
		}
		first.missing.send(w)
	}
}

// An unlessMissing passes an answer on, but holds one of 404 back.
type unlessMissing struct {
	http.ResponseWriter
	header  http.Header
	began   bool
	missing *HeldAnswer // an answer of 404, as far as it was written
}

// Unwrap is for http.ResponseController.
func (a *unlessMissing) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *unlessMissing) Header() http.Header {
	if a.began {
		return a.ResponseWriter.Header()
	}
	return a.header
}

func (a *unlessMissing) WriteHeader(status int) {
	if status == http.StatusNotFound && !a.began && a.missing == nil {
		a.missing = &HeldAnswer{header: a.header, status: status}
		return
	}
	a.begin(status)
}

// begin sends the header, unless that is done or the answer is held back.
func (a *unlessMissing) begin(status int) {
	if a.began || a.missing != nil {
		return
	}
	a.began = true
	clear(a.ResponseWriter.Header())
	maps.Copy(a.ResponseWriter.Header(), a.header)
	a.ResponseWriter.WriteHeader(status)
}

func (a *unlessMissing) Write(b []byte) (int, error) {
	a.begin(http.StatusOK)
	if a.missing != nil {
		return a.missing.Write(b)
	}
	return a.ResponseWriter.Write(b)
}

// FlushError is of http.ResponseController.
func (a *unlessMissing) FlushError() error {
	if a.begin(http.StatusOK); a.missing != nil {
		return nil
	}
	return http.NewResponseController(a.ResponseWriter).Flush()
}
