package relay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// A Refusal is why the hub did not do what a build asked.
type Refusal struct {
	Status  int    // of HTTP; 0 when it did not answer
	Code    string // of the registry's error, such as DENIED
	Message string // the registry's own words
}

// String says all that is known.
func (f Refusal) String() string {
	switch {
	case f.Message == "" && f.Code == "":
		return fmt.Sprintf("the registry answered %d %s", f.Status, http.StatusText(f.Status))
	case f.Code == "":
		return f.Message
	case f.Message == "":
		return f.Code
	}
	return f.Code + ": " + f.Message
}

const (
	maxBody    = 64 << 10 // of an answer with an error
	maxMessage = 2 << 10
	maxMissing = 1000 // of one build
)

// refusal takes note of an answer that is an error, and leaves it as it was.
func (r *Relay) refusal(resp *http.Response) error {
	var body []byte
	if resp.Request.Method != http.MethodHead {
		var err error
		if body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody)); err != nil {
			return err
		}
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	}
	f := Refusal{Status: resp.StatusCode}
	var said struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(body, &said) == nil && len(said.Errors) > 0 {
		f.Code, f.Message = said.Errors[0].Code, cut(said.Errors[0].Message)
	}
	path := repositoryPath.FindStringSubmatch(resp.Request.URL.Path)
	switch resp.Request.Method {
	case http.MethodGet, http.MethodHead:
		if path != nil && path[2] == "manifests" {
			r.mu.Lock()
			if len(r.missing) < maxMissing {
				// HEAD has no words: a later GET of the same says more.
				r.missing[path[1]+" "+path[3]] = f
			}
			r.mu.Unlock()
		}
	default:
		r.note(f)
	}
	return nil
}

func cut(s string) string {
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	return s
}

func (r *Relay) note(f Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = f
}

// Refused is the last write that the hub refused; ok is false when there was none.
func (r *Relay) Refused() (f Refusal, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused, r.refused != Refusal{}
}

// Missing is what the hub said when a manifest was asked for in vain; ok is false
// when it was not.
func (r *Relay) Missing(repository, reference string) (f Refusal, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, ok = r.missing[repository+" "+reference]
	return f, ok
}
