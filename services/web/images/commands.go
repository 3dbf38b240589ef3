package images

import (
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

// A command is a way to fetch an image.
type command struct {
	Tool, Text string
	Note       string
}

// commands are the ways to fetch what a tag or, with tag "", a digest names.
func commands(v *frame.Visit, r apitypes.RepositoryDetails, kind, tag, digest string) []command {
	name := v.Host() + "/" + r.Name
	byTag, exact := name+":"+tag, name+":"+tag+"@"+digest
	if tag == "" {
		byTag, exact = name+"@"+digest, name+"@"+digest
	}
	same := tag == ""
	list := []command{}
	add := func(tool, text, note string) { list = append(list, command{tool, text, note}) }
	both := func(tool, before string) {
		add(tool, before+byTag, "")
		if !same {
			add(tool+", this image for ever", before+exact, "")
		}
	}
	switch kind {
	case frame.HelmChart:
		add("Helm", frame.HelmPull(name, tag), "Helm wants a version of numbers, with + written as _ in the tag.")
		add("ORAS", "oras pull "+exact, "")
	case "", frame.WebAssembly:
		both("Docker", "docker pull ")
		both("Podman", "podman pull ")
		add("containerd", "nerdctl pull "+byTag, "")
		add("containerd, without nerdctl", "ctr images pull "+login(v, r)+exact, "")
		add("Kubernetes, in a container of a pod", "image: "+exact, "")
		if r.Visibility != "public" {
			add("Kubernetes, the pull secret", "kubectl create secret docker-registry "+secretName(v.Host())+" --docker-server="+v.Host()+" --docker-username="+user(v)+" --docker-password=ACCESS-TOKEN",
				"Name it in the pod's imagePullSecrets.")
		}
		add("Compose", "image: "+exact, "")
	default:
		add("ORAS", "oras pull "+exact, "")
	}
	add("crane, its manifest", "crane manifest "+byTag, "")
	accept := ` -H "Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json" `
	ref := digest
	if tag != "" {
		ref = tag
	}
	as := " -u " + user(v)
	if r.Visibility == "public" {
		as = ""
	}
	add("curl, its manifest", "curl"+as+accept+v.URL()+"/v2/"+r.Name+"/manifests/"+ref, "")
	return list
}

func login(v *frame.Visit, r apitypes.RepositoryDetails) string {
	if r.Visibility == "public" {
		return ""
	}
	return "--user " + user(v) + " "
}

func user(v *frame.Visit) string {
	if me := v.Me(); me != "" {
		return me
	}
	return "LOGIN-NAME"
}

// secretName is the name of a Kubernetes secret (RFC 1123 label) for a host.
func secretName(host string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(host)), "-")
}

// unqualified says that docker takes a host for a part of a name on Docker Hub: it
// has neither a dot nor a port, and is not localhost.
func unqualified(host string) bool {
	return !strings.ContainsAny(host, ".:") && host != "localhost"
}
