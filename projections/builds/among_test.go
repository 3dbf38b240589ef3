package builds_test

import (
	"slices"
	"testing"

	"hubledger/projections/builds"
)

func TestBuildsAmong(t *testing.T) {
	onEach(t, buildStory(), func(t *testing.T, r builds.Reader) {
		for what, c := range map[string]struct {
			among  builds.Among
			before uint64
			want   []string
		}{
			"all":                    {builds.Among{All: true}, 0, []string{id(52), id(51), id(50)}},
			"all before one":         {builds.Among{All: true}, 2, []string{id(50)}},
			"nobody's":               {builds.Among{}, 0, nil},
			"of a namespace":         {builds.Among{Namespaces: []string{id(99), id(acme)}}, 0, []string{id(52), id(51), id(50)}},
			"of another":             {builds.Among{Namespaces: []string{id(99)}}, 0, nil},
			"of a repository":        {builds.Among{Repositories: []string{id(40)}, Namespaces: []string{id(99)}}, 0, []string{id(52), id(51), id(50)}},
			"from a source":          {builds.Among{All: true, Source: id(app)}, 3, []string{id(51), id(50)}},
			"from another":           {builds.Among{All: true, Source: id(98)}, 0, nil},
			"that wait":              {builds.Among{All: true, State: builds.Waiting}, 0, []string{id(51)}},
			"of that, cancelled":     {builds.Among{Namespaces: []string{id(acme)}, State: builds.Ended, Outcome: "cancelled"}, 0, []string{id(52)}},
			"of another, that waits": {builds.Among{Repositories: []string{id(41)}, State: builds.Waiting}, 0, nil},
		} {
			list, err := r.BuildsAmong(t.Context(), c.among, c.before, 9)
			check(t, err)
			var got []string
			for _, b := range list {
				got = append(got, b.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", what, got, c.want)
			}
		}
	})
}
