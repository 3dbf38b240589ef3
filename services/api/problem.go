package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// A problem is an error as clients get it (RFC 9457). The cause stays here.
type problem struct {
	huma.ErrorModel
	headers http.Header
	cause   error
}

func (p *problem) Unwrap() error { return p.cause }

// GetHeaders are sent with the problem.
func (p *problem) GetHeaders() http.Header { return p.headers }

func fail(status int, detail string) *problem {
	return &problem{ErrorModel: huma.ErrorModel{Type: "about:blank", Status: status, Title: http.StatusText(status), Detail: detail}, headers: http.Header{}}
}

// at names the field that is at fault, such as "body.name".
func (p *problem) at(location, message string) *problem {
	p.Errors = append(p.Errors, &huma.ErrorDetail{Location: location, Message: message})
	return p
}

func (p *problem) with(name, value string) *problem {
	p.headers.Set(name, value)
	return p
}

func (p *problem) because(err error) *problem {
	p.cause = err
	return p
}

// retryAfter is in whole seconds, at least one (RFC 9110, section 10.2.3).
func (p *problem) retryAfter(d time.Duration) *problem {
	return p.with("Retry-After", strconv.Itoa(max(1, int((d+time.Second-1)/time.Second))))
}

// hidden is said of what is not there and of what may not be seen.
const hidden = "there is nothing of that name that you may see"

func notFound() *problem { return fail(http.StatusNotFound, hidden) }

func invalid(location, message string) *problem {
	return fail(http.StatusUnprocessableEntity, "validation failed").at(location, message)
}

// write sends the problem by itself, outside of huma.
func (p *problem) write(w http.ResponseWriter, r *http.Request) {
	p.writeAs(w, r, "application/problem+json", p.ErrorModel)
}

func (p *problem) writeAs(w http.ResponseWriter, r *http.Request, contentType string, body any) {
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
