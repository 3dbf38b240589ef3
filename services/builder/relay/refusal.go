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

	Reference string // of Missing: the tag or digest that was asked for
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
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	req := resp.Request
	path := repositoryPath.FindStringSubmatch(req.URL.Path)
	read := req.Method == http.MethodGet || req.Method == http.MethodHead
	if read && (path == nil || path[2] != "manifests" && (path[1] != r.config.Repository || resp.StatusCode == http.StatusNotFound)) {
		return nil
	}
	if req.Method == http.MethodHead && resp.StatusCode != http.StatusNotFound {
		body = r.words(req) // the answer to HEAD has none
	}
	f := Refusal{Status: resp.StatusCode}
	var said struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(body, &said) == nil && len(said.Errors) > 0 {
		f.Code, f.Message = said.Errors[0].Code, cut(said.Errors[0].Message)
	}
	if !read {
		r.note(f)
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if path[2] == "manifests" && len(r.missing) < maxMissing {
		missing := f
		missing.Reference = path[3]
		r.missing[path[1]+" "+path[3]], r.missing[path[1]+" "] = missing, missing
	}
	if path[1] == r.config.Repository && f.Status != http.StatusNotFound && r.refused == (Refusal{}) {
		r.refused = f // a push begins with a look at what is there
	}
	return nil
}

// words are what the hub answers to GET instead of HEAD.
func (r *Relay) words(head *http.Request) []byte {
	get := head.Clone(head.Context())
	get.Method = http.MethodGet
	resp, err := r.transport.RoundTrip(get)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	return body
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

// Refused is the last write that the hub refused, or else the first look at the
// repository that is written to; ok is false when there was none.
func (r *Relay) Refused() (f Refusal, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused, r.refused != Refusal{}
}

// Missing is what the hub said when a manifest was asked for in vain; ok is false
// when it was not. Without a reference it is the last one of the repository.
func (r *Relay) Missing(repository, reference string) (f Refusal, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, ok = r.missing[repository+" "+reference]
	return f, ok
}
