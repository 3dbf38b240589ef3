package buildkit

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"hubledger/events"
)

// BuildKit names the steps that bring an image "[stage 1/2] FROM name@digest", of
// several platforms "[linux/arm64 stage 1/2] FROM name@digest", and without the
// brackets for COPY --from and mounts. Steps that people write begin with brackets
// and another word. Before those it looks the name up, as "[internal] load metadata for
// name" or "[linux/arm64 internal] …": the name there is the one that the Dockerfile has.
var (
	baseStep   = regexp.MustCompile(`^(?:\[(?:([a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9]+)?) )?[^\]]*\] )?FROM ([^\s@]+)@(sha256:[0-9a-f]{64})$`)
	lookupStep = regexp.MustCompile(`^\[(?:\S+ )?internal\] load metadata for (\S+)$`)
)

// maxBaseName bounds the name of a base image, in bytes.
const maxBaseName = 512

// bases are the images that a build with steps of these names was made from. registries
// are the hub's names; it is a mirror of docker.io, too. missing says whether it was asked
// in vain for a manifest, which a build with a network then gets from Docker Hub.
func bases(steps, registries []string, missing func(repository, reference string) bool) []events.BuildBase {
	asked := map[string]bool{}
	for _, name := range steps {
		if found := lookupStep.FindStringSubmatch(name); found != nil {
			asked[found[1]] = true
		}
	}
	var list []events.BuildBase
	for _, name := range steps {
		found := baseStep.FindStringSubmatch(name)
		if found == nil || len(found[2]) > maxBaseName {
			continue
		}
		b := events.BuildBase{Name: found[2], Digest: found[3], Platform: found[1]}
		host, path, _ := strings.Cut(b.Name, "/")
		repository, tag, _ := strings.Cut(path, ":")
		pinned := !asked[found[2]] // the Dockerfile has the digest
		reference := tag
		if pinned {
			reference = b.Digest
		}
		if slices.Contains(registries, host) || host == "docker.io" && !missing(repository, reference) {
			b.Repository = repository
		}
		switch {
		case pinned:
			b.Name += "@" + b.Digest
		case b.Repository != "":
			b.Tag = tag
		}
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b events.BuildBase) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Platform, b.Platform), strings.Compare(a.Digest, b.Digest))
	})
	list = slices.Compact(list)
	return list[:min(len(list), events.MaxBuildBases)]
}
