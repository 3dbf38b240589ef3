package dockerd

import (
	"slices"

	"hubledger/events"
	"hubledger/services/builder/caged"
	"hubledger/services/builder/relay"
)

// bases are the images that the engine has pulled, by which a build may have been made:
// nobody tells from which of them hooks took something, and which they only ran. The image
// itself, pulled for its layers, is none.
func bases(a *caged.Attempt, pulled []relay.Pull) (list []events.BuildBase) {
	hub := a.Names[0]
	for _, p := range pulled {
		if hub+"/"+p.Repository == a.Spec.Facts.Repository && (p.Tag == firstTag(a.Spec) || slices.Contains(a.Spec.Facts.Tags, p.Tag)) {
			continue
		}
		b := events.BuildBase{Name: hub + "/" + p.Repository, Digest: p.Digest, Repository: p.Repository, Tag: p.Tag}
		if p.Tag != "" {
			b.Name += ":" + p.Tag
		} else {
			b.Name += "@" + p.Digest
		}
		list = append(list, b)
	}
	return list[:min(len(list), events.MaxBuildBases)]
}
