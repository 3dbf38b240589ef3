package api

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// The endpoints in files named docker_* have the shapes of Docker Hub, so that
// scripts written for it work with another base URL. They are the API of
// /api/v1 in other words: rights and decisions are the same.

// A dockerHandler gives a status and a body, which is nil for none.
type dockerHandler func(w http.ResponseWriter, r *http.Request, c *call) (status int, body any, err error)

func (s *API) registerDocker() {
	s.registerDockerAccounts()
	s.registerDockerRepositories()
	s.registerDockerTags()
	s.registerDockerSearch()
}

// docker mounts an endpoint in Docker Hub's shape.
func (s *API) docker(method, path string, need Permission, serve dockerHandler) {
	s.route(Route{method, path, need}, asDockerError, func(w http.ResponseWriter, r *http.Request) {
		c, _ := r.Context().Value(callKey{}).(*call)
		status, body, err := serve(w, r, c)
		if err != nil {
			asDockerError(w, r, s.problem(r.Context(), r.Pattern, err))
			return
		}
		if body == nil {
			w.WriteHeader(status)
			return
		}
		writeJSON(w, r, status, body)
	})
}

// onBoth mounts an endpoint at the older and the newer address of a repository.
func (s *API) onBoth(method, rest string, need Permission, serve dockerHandler) {
	s.docker(method, "/v2/repositories/{namespace}/{name}"+rest, need, serve)
	s.docker(method, "/v2/namespaces/{namespace}/repositories/{name}"+rest, need, serve)
}

// asDockerError writes a problem as Docker Hub writes its errors, which knows no 422.
func asDockerError(w http.ResponseWriter, r *http.Request, p *problem) {
	if p.Status == http.StatusUnprocessableEntity {
		bad := *p
		bad.Status = http.StatusBadRequest
		p = &bad
	}
	text := p.Detail
	for _, e := range p.Errors {
		text += "; " + e.Location + ": " + e.Message
	}
	p.writeAs(w, r, "application/json", map[string]any{"message": text, "detail": text, "errinfo": map[string]string{}})
}

func writeJSON(w http.ResponseWriter, r *http.Request, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // the bodies are made of texts, numbers and times
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(data) // fails only when the client went away
	}
}

// readJSON reads a body of which only the known fields count.
func readJSON(r *http.Request, into any) error {
	data, err := bodyOf(r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fail(http.StatusBadRequest, "the request's body is not the JSON object that is expected here").because(err)
	}
	return nil
}
