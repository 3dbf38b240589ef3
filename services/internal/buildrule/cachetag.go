package buildrule

import (
	"fmt"
	"slices"
)

// CacheTag is the tag of a repository where builds with a cache keep their layers.
const CacheTag = "buildcache"

const cacheTaken = "builds keep their layers for the next one in the tag " + CacheTag

// keepsLayers says whether builds of a set write CacheTag.
func keepsLayers(rules []Rule) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool { return r.Cache })
}

// cacheTags refuses templates that give CacheTag whatever the ref, where builds would
// overwrite it. What a group of a pattern gives is refused when a ref is evaluated.
func cacheTags(rules []compiled) (out Problems) {
	by := slices.IndexFunc(rules, func(r compiled) bool { return r.Cache })
	if by < 0 {
		return nil
	}
	for i, r := range rules {
		for k, parts := range r.templates {
			name := r.source
			if r.pattern != nil {
				name = "" // of no ref
			}
			if tag, _, _ := expand(parts, name, nil); tag == CacheTag {
				out = append(out, Problem{Rule: nameOf(r.Rule, i), Index: i, Field: "tags", What: fmt.Sprintf("%s gives the tag %s", quoted(r.Tags[k]), CacheTag),
					Why: fmt.Sprintf("%s, and those of rule %s would overwrite it", cacheTaken, nameOf(rules[by].Rule, by)), Fix: "write another tag, or cache: false in every rule"})
			}
		}
	}
	return out
}
