package frame

import (
	"strings"

	"hubledger/services/internal/apitypes"
)

// HelmChart is the kind of Helm charts, and WebAssembly that of modules that run like images.
const HelmChart, WebAssembly = "Helm chart", "WebAssembly module"

// KindOf names what a manifest is by its artifact type, or the media type of its config; ""
// for an image.
func KindOf(artifactType string) string {
	switch {
	case artifactType == "", strings.HasPrefix(artifactType, "application/vnd.oci.image.config.v1"), strings.HasPrefix(artifactType, "application/vnd.docker.container.image.v1"):
		return ""
	case strings.HasPrefix(artifactType, "application/vnd.cncf.helm.config"):
		return HelmChart
	case strings.HasPrefix(artifactType, "application/vnd.wasm.config"), strings.HasPrefix(artifactType, "application/vnd.module.wasm"):
		return WebAssembly
	case strings.HasPrefix(artifactType, "application/vnd.dev.sigstore.bundle"):
		return "Signature or attestation"
	case strings.HasPrefix(artifactType, "application/vnd.dev.cosign"), strings.HasPrefix(artifactType, "application/vnd.cncf.notary"):
		return "Signature"
	case strings.Contains(artifactType, "spdx"), strings.Contains(artifactType, "cyclonedx"):
		return "SBOM"
	case strings.Contains(artifactType, "in-toto"):
		return "Attestation"
	}
	return "Artifact"
}

// PullCommand is the command that fetches a repository's preferred tag, by the tool for what
// that is.
func PullCommand(host string, r apitypes.RepositoryDetails) string {
	name := host + "/" + r.Name
	tagged := name
	if r.PullTag != "" {
		tagged += ":" + r.PullTag
	}
	switch KindOf(r.PullArtifact) {
	case "", WebAssembly:
		return "docker pull " + tagged
	case HelmChart:
		return HelmPull(name, r.PullTag)
	}
	return "oras pull " + tagged
}

// HelmPull is Helm's command for a chart, which has the version that its tag says.
func HelmPull(name, tag string) string {
	if tag == "" {
		return "helm pull oci://" + name
	}
	return "helm pull oci://" + name + " --version " + tag
}
