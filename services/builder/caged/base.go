package caged

import (
	"net/http"
	"slices"
	"strings"
)

// WhyMissing says, for people, why the base image that a build calls image could not be
// pulled, and what to do. text is what the program said of it.
func (e *Evidence) WhyMissing(image, text string) string {
	host, rest, ok := strings.Cut(image, "/")
	switch {
	case !ok:
		host, rest = "docker.io", "library/"+image
	case host != "localhost" && !strings.ContainsAny(host, ".:"):
		host, rest = "docker.io", image
	}
	if !slices.Contains(e.Names, host) && host != "docker.io" {
		if e.Spec.Network {
			return text
		}
		return "builds get base images from this hub, " + e.Registry + ", and cannot reach " + host + ": push the image to this hub and use that name in FROM"
	}
	repository, reference, between := rest, "", ":" // Docker's engine does not always say the tag
	if name, digest, ok := strings.Cut(rest, "@"); ok {
		repository, reference, between = name, digest, "@"
		repository, _, _ = strings.Cut(repository, ":")
	} else if k := strings.LastIndexByte(rest, ':'); k >= 0 {
		repository, reference = rest[:k], rest[k+1:]
	}
	refused, ok := e.Relay.Missing(repository, reference)
	if !ok {
		return text
	}
	switch refused.Status {
	case http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden:
		return "builds get base images from this hub, " + e.Registry + ", which has no " + repository + between + refused.Reference + " that this build may pull: push it to " +
			repository + " and make that repository public, or push it to the namespace that is built for and use that name in FROM"
	}
	return refused.String()
}
