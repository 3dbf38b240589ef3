// Package provenance says where an image comes from: an in-toto statement with SLSA
// provenance, signed by the hub, in the form in which cosign finds it beside an image.
// What is made of the same facts has the same bytes.
package provenance

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
)

// PredicateType is SLSA's provenance, version 1.
const PredicateType = "https://slsa.dev/provenance/v1"

// BuildType says how the parameters of a build are to be read; docs/builds.md has them.
const BuildType = "urn:hubledger:build:v1"

// Facts are what the hub knows of a build whose image was pushed. They hold no secret.
type Facts struct {
	Name     string // of the repository, with the hub's host, such as hub.example.com/acme/app
	Digest   digest.Digest
	Build    string // id
	Builder  string // URI of what built it
	Started  time.Time
	Finished time.Time // when the hub heard that the image was pushed

	Git       string // URL of the git repository; "" when it is not known any more
	Ref       string // full name of the branch or tag
	Commit    string
	Rule      events.BuildRule // as it was then
	Tags      []string         // that the image was to get
	Untrusted bool             // of a fork: the build had no secrets and no build args
	Bases     []events.BuildBase
	Scanner   string // image of the hub that made the SBOM, NAMESPACE/NAME@sha256:…; "" for none

	// Upload is the digest of the uploaded directory that was built; "" when a commit was.
	// With it Git, Ref and Commit are empty.
	Upload digest.Digest
}

// The statement, as in-toto's attestation framework (v1) and SLSA's provenance (v1) have it.
type (
	statement struct {
		Type          string     `json:"_type"`
		Subject       []resource `json:"subject"`
		PredicateType string     `json:"predicateType"`
		Predicate     predicate  `json:"predicate"`
	}
	predicate struct {
		BuildDefinition definition `json:"buildDefinition"`
		RunDetails      run        `json:"runDetails"`
	}
	definition struct {
		BuildType            string     `json:"buildType"`
		ExternalParameters   any        `json:"externalParameters"` // parameters or uploadParameters
		ResolvedDependencies []resource `json:"resolvedDependencies"`
	}
	parameters struct {
		Source    string           `json:"source"`
		Ref       string           `json:"ref"`
		Rule      events.BuildRule `json:"rule"`
		Tags      []string         `json:"tags"`
		Untrusted bool             `json:"untrusted,omitempty"`
	}
	uploadParameters struct {
		Upload string           `json:"upload"`
		Rule   events.BuildRule `json:"rule"`
		Tags   []string         `json:"tags"`
	}
	run struct {
		Builder  builder  `json:"builder"`
		Metadata metadata `json:"metadata"`
	}
	builder struct {
		ID string `json:"id"`
	}
	metadata struct {
		InvocationID string    `json:"invocationId"`
		StartedOn    time.Time `json:"startedOn"`
		FinishedOn   time.Time `json:"finishedOn"`
	}
	resource struct {
		Name   string            `json:"name,omitempty"`
		URI    string            `json:"uri,omitempty"`
		Digest map[string]string `json:"digest"`
	}
)

// Statement is what is signed.
func Statement(f Facts) ([]byte, error) {
	git := f.Git
	if git != "" && !strings.HasPrefix(git, "git+") {
		git = "git+" + git
	}
	hub, _, _ := strings.Cut(f.Name, "/")
	from := []resource{{URI: git + "@" + f.Ref, Digest: map[string]string{"gitCommit": f.Commit}}}
	if f.Upload != "" {
		from = []resource{{Name: "uploaded directory", Digest: digests(f.Upload)}}
	}
	for _, b := range f.Bases {
		from = append(from, resource{URI: packageURL(b, hub), Digest: digests(digest.Digest(b.Digest))})
	}
	if name, made, ok := strings.Cut(f.Scanner, "@"); ok {
		from = append(from, resource{Name: "scanner of the SBOM", URI: packageURL(events.BuildBase{Name: hub + "/" + name + "@" + made, Repository: name}, hub), Digest: digests(digest.Digest(made))})
	}
	tags := f.Tags
	if tags == nil {
		tags = []string{}
	}
	var asked any = parameters{Source: git, Ref: f.Ref, Rule: f.Rule, Tags: tags, Untrusted: f.Untrusted}
	if f.Upload != "" {
		asked = uploadParameters{f.Upload.String(), f.Rule, tags}
	}
	return json.Marshal(statement{
		Type: "https://in-toto.io/Statement/v1", Subject: []resource{{Name: f.Name, Digest: digests(f.Digest)}}, PredicateType: PredicateType,
		Predicate: predicate{
			BuildDefinition: definition{BuildType: BuildType, ResolvedDependencies: from, ExternalParameters: asked},
			RunDetails:      run{Builder: builder{f.Builder}, Metadata: metadata{f.Build, f.Started.UTC().Truncate(time.Second), f.Finished.UTC().Truncate(time.Second)}},
		}})
}

func digests(d digest.Digest) map[string]string {
	algorithm, hex, _ := strings.Cut(d.String(), ":")
	return map[string]string{algorithm: hex}
}

// packageURL names a base image (purl-spec, type docker): the registry's host is in
// repository_url, unless it is docker.io. What a build takes from docker.io comes from the
// hub when it has the repository.
func packageURL(b events.BuildBase, hub string) string {
	name, pinned, _ := strings.Cut(b.Name, "@")
	host, path, _ := strings.Cut(name, "/")
	if b.Repository != "" {
		host = hub
	}
	path, tag, _ := strings.Cut(path, ":")
	if tag == "" {
		tag = pinned
	}
	more := url.Values{}
	if host != "docker.io" {
		more.Set("repository_url", host)
	}
	if b.Platform != "" {
		more.Set("platform", b.Platform)
	}
	text := "pkg:docker/" + path
	if tag != "" {
		text += "@" + url.QueryEscape(tag)
	}
	if len(more) > 0 {
		text += "?" + more.Encode()
	}
	return text
}
