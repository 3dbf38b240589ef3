// Package imagediff says in what two images differ, as far as their configs and the
// digests of their layers tell.
package imagediff

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"hubledger/services/internal/apitypes"
)

// A Fact is one that the two do not have alike; "" where one lacks it.
type Fact struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
}

// A Diff is all in which two images differ.
type Diff struct {
	Facts  []Fact           `json:"facts,omitempty"` // how they run
	Env    []Fact           `json:"env,omitempty"`
	Labels []Fact           `json:"labels,omitempty"`
	Shared []apitypes.Layer `json:"shared,omitempty"` // from the lowest layer on, the same in both
	OnlyA  []apitypes.Layer `json:"removed,omitempty"`
	OnlyB  []apitypes.Layer `json:"added,omitempty"`
}

// None says that the two do not differ in anything that is compared.
func (d Diff) None() bool {
	return len(d.Facts)+len(d.Env)+len(d.Labels)+len(d.OnlyA)+len(d.OnlyB) == 0
}

// Of compares two images, no indexes. size writes bytes for people.
func Of(a, b apitypes.Manifest, size func(int64) string) (d Diff) {
	ca, cb := cmp.Or(a.Config, &apitypes.ImageConfig{}), cmp.Or(b.Config, &apitypes.ImageConfig{})
	words := func(list []string) string { return strings.Join(list, " ") }
	for _, f := range []Fact{
		{"Type", a.MediaType, b.MediaType},
		{"Download", size(a.Download), size(b.Download)},
		{"Entrypoint", words(ca.Entrypoint), words(cb.Entrypoint)},
		{"Command", words(ca.Cmd), words(cb.Cmd)},
		{"User", ca.User, cb.User},
		{"Working directory", ca.WorkingDir, cb.WorkingDir},
		{"Ports", words(ca.Ports), words(cb.Ports)},
		{"Volumes", words(ca.Volumes), words(cb.Volumes)},
		{"Stop signal", ca.StopSignal, cb.StopSignal},
	} {
		if f.From != f.To {
			d.Facts = append(d.Facts, f)
		}
	}
	d.Env, d.Labels = differences(variables(ca.Env), variables(cb.Env)), differences(ca.Labels, cb.Labels)
	la, lb := a.Layers, b.Layers
	for len(la) > 0 && len(lb) > 0 && la[0].Digest == lb[0].Digest {
		d.Shared, la, lb = append(d.Shared, la[0]), la[1:], lb[1:]
	}
	d.OnlyA, d.OnlyB = la, lb
	return d
}

// Images are the images of an index by their platforms; of an image it is itself.
func Images(m apitypes.Manifest) map[string]string {
	if len(m.Images) == 0 {
		return map[string]string{platform(m.Image): m.Digest}
	}
	all := map[string]string{}
	for _, i := range m.Images {
		all[platform(i)] = i.Digest
	}
	return all
}

// Common are the platforms that two sets of images both have, sorted.
func Common(a, b map[string]string) (list []string) {
	for name := range a {
		if _, ok := b[name]; ok {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

func platform(i apitypes.Image) string {
	return strings.Trim(strings.Join([]string{i.OS, i.Architecture, i.Variant}, "/"), "/")
}

func variables(env []string) map[string]string {
	all := map[string]string{}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		all[name] = value
	}
	return all
}

// differences are the names that only one has, or that have another value in each.
func differences(a, b map[string]string) (list []Fact) {
	names := map[string]bool{}
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		_, inA := a[name]
		if _, inB := b[name]; a[name] != b[name] || inA != inB {
			list = append(list, Fact{name, a[name], b[name]})
		}
	}
	return list
}
