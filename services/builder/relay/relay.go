// Package relay is the way of a build to the registry, and to nothing else: it
// serves a socket inside the build's cage and asks the hub in the build's name. The
// credentials stay outside.
package relay

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Credentials are what the hub is shown.
type Credentials interface {
	// Token is a bearer token that lets the build pull from a repository of the hub,
	// and push to it if push is set, and when it ends. "" is none: the build then
	// does what everybody may. It is asked again shortly before the end.
	Token(ctx context.Context, repository string, push bool) (token string, ends time.Time, err error)
}

// A Config says where the relay leads.
type Config struct {
	Hub         *url.URL    // of the hub, such as https://hub.example.com
	Name        string      // of the registry as builds write it, such as hub.example.com
	TLS         *tls.Config // for the hub; nil for that of the system
	Repository  string      // the one that may be written to; "" for none
	Cache       string      // the one tag of it that may be written; "" for none
	Tags        bool        // the build pushes by tags, see byTag, and what it pulls is remembered
	Password    string      // that the build's BuildKit shows as User, so that none of its steps is served
	Credentials Credentials // nil for none
	Logger      *slog.Logger
}

// User is the name that BuildKit shows to the relay.
const User = "build"

// A Relay serves one build.
type Relay struct {
	config    Config
	transport *http.Transport
	server    *http.Server

	mu      sync.Mutex
	tokens  map[grant]token
	refused Refusal
	missing map[string]Refusal // by repository and reference
	pushed  map[string]string  // digests, by tag

	pulls, children map[Pull]bool // children are named by an index, without a tag
}

// New makes a relay.
func New(c Config) *Relay {
	r := &Relay{config: c, tokens: map[grant]token{}, missing: map[string]Refusal{}, pushed: map[string]string{}, pulls: map[Pull]bool{}, children: map[Pull]bool{}}
	r.transport = &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig:       c.TLS,
		TLSHandshakeTimeout:   10 * time.Second,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       30 * time.Second,
		DisableCompression:    true,
		ExpectContinueTimeout: time.Second,
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:        r.rewrite,
		Transport:      r.transport,
		ModifyResponse: r.answered,
		ErrorHandler:   r.failed,
		ErrorLog:       slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
		FlushInterval:  -1,
	}
	r.server = &http.Server{Handler: r.guard(proxy), ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug)}
	return r
}

// Serve answers requests until Close.
func (r *Relay) Serve(l net.Listener) { r.server.Serve(l) }

// Close ends it with all its connections.
func (r *Relay) Close() {
	r.server.Close()
	r.transport.CloseIdleConnections()
}

// repositoryPath finds the repository in a path of the registry's API.
var repositoryPath = regexp.MustCompile(`^/v2/([a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)/(manifests|blobs|referrers|tags)/(.*)$`)

// guard lets through what a build has to ask of a registry.
func (r *Relay) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		user, password, _ := req.BasicAuth()
		if user != User || subtle.ConstantTimeCompare([]byte(password), []byte(r.config.Password)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="build"`)
			http.Error(w, "this is for the builder alone", http.StatusUnauthorized)
			return
		}
		write := req.Method != http.MethodGet && req.Method != http.MethodHead
		path := repositoryPath.FindStringSubmatch(req.URL.Path)
		switch {
		case req.URL.Path == "/v2/" && !write:
		case path == nil || strings.Contains(path[3], "..") || req.URL.RawPath != "":
			refuse(w, "the builder leads to the repositories of the registry only")
			return
		case write && (path[1] != r.config.Repository || req.Method == http.MethodDelete):
			refuse(w, "a build may push to its own repository only")
			return
		case path != nil && path[1] == r.config.Repository && path[2] == "manifests" && r.byTag(w, req, path[3], next):
			return
		case write && path[2] == "manifests" && (!strings.HasPrefix(path[3], "sha256:") && path[3] != r.config.Cache || req.URL.Query().Has("tag")):
			refuse(w, "a build pushes by digest: tags are not its business")
			return
		}
		next.ServeHTTP(w, req)
	})
}

func refuse(w http.ResponseWriter, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": "DENIED", "message": message}}})
}

// rewrite makes the request to the hub.
func (r *Relay) rewrite(p *httputil.ProxyRequest) {
	p.SetURL(r.config.Hub)
	p.Out.Host = r.config.Name
	for _, h := range []string{"Authorization", "Cookie", "Forwarded", "X-Real-Ip"} {
		p.Out.Header.Del(h)
	}
	path := repositoryPath.FindStringSubmatch(p.In.URL.Path)
	if path == nil {
		return
	}
	token, err := r.token(p.In.Context(), path[1])
	if err != nil {
		// The hub's answer to a request without a token says less than this.
		r.note(Refusal{Message: "no token for " + path[1] + ": " + err.Error()})
	}
	if token != "" {
		p.Out.Header.Set("Authorization", "Bearer "+token)
	}
}

// answered takes note of refusals, and lets no answer lead elsewhere.
func (r *Relay) answered(resp *http.Response) error {
	if to := resp.Header.Get("Location"); to != "" {
		u, err := url.Parse(to)
		if err == nil && resp.StatusCode < 400 && resp.StatusCode >= 300 && u.Host != "" && u.Host != r.config.Name && u.Host != r.config.Hub.Host {
			return r.follow(resp, u)
		}
		if err == nil && strings.HasPrefix(u.Path, "/v2/") {
			u.Scheme, u.Host, u.User = "", "", nil
			resp.Header.Set("Location", u.String())
		}
	}
	resp.Header.Del("Set-Cookie")
	if resp.StatusCode < 400 {
		return r.pulled(resp)
	}
	if err := r.refusal(resp); err != nil {
		return err
	}
	if resp.StatusCode == http.StatusUnauthorized {
		// The build has nothing to show: it is not to look for a token.
		resp.StatusCode, resp.Status = http.StatusForbidden, ""
		resp.Header.Del("WWW-Authenticate")
	}
	return nil
}

// follow gets what the hub has elsewhere, such as a layer in a store that it signs
// URLs for. The build cannot go there itself.
func (r *Relay) follow(resp *http.Response, to *url.URL) error {
	if resp.Request.Method != http.MethodGet && resp.Request.Method != http.MethodHead {
		return fmt.Errorf("the hub redirects %s to %s", resp.Request.Method, to.Host)
	}
	req, err := http.NewRequestWithContext(resp.Request.Context(), resp.Request.Method, to.String(), nil)
	if err != nil {
		return err
	}
	if part := resp.Request.Header.Get("Range"); part != "" {
		req.Header.Set("Range", part)
	}
	got, err := r.transport.RoundTrip(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	got.Header.Del("Set-Cookie")
	got.Header.Del("Location")
	if got.StatusCode >= 300 {
		got.Body.Close()
		return fmt.Errorf("where the hub redirects to answers %s", got.Status)
	}
	resp.Status, resp.StatusCode, resp.Header, resp.Body, resp.ContentLength = got.Status, got.StatusCode, got.Header, got.Body, got.ContentLength
	return nil
}

// failed answers when the hub does not.
func (r *Relay) failed(w http.ResponseWriter, req *http.Request, err error) {
	if req.Context().Err() != nil {
		return // the build does not want the answer any more
	}
	r.config.Logger.Warn("the relay of a build could not reach the hub", "error", err)
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		r.note(Refusal{Message: "the hub does not answer"})
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadGateway)
	json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": "UNAVAILABLE", "message": "the hub does not answer"}}})
}
